import { AppError, messageOf } from '@tidegate/kernel';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { AuditErrorCode } from '../errors.ts';
import type { Archive, ArchivedRange, SealedRange } from './archive.port.ts';
import type { Seal } from '../seal/seal.ts';
import {
  keyFile,
  sealFile,
  sealIn,
  sealText,
  type Segment,
  segmentsIn,
  sizeOfSealFile,
} from './layout.ts';
import { linesOf, segmentsOf, writeSegment } from './segment.file.ts';
import { UNFINISHED, writeOnce } from './write-once.file.ts';

/** An archive in a folder. */
export class FolderArchive implements Archive {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes the folder, and removes what a crash left half-written. Thrown AUDIT_ARCHIVE_FAILED. */
  static async open(folder: string): Promise<FolderArchive> {
    await named(folder, async () => {
      for (const part of ['keys', 'segments', 'seals']) {
        await mkdir(join(folder, part), { recursive: true });
        for (const name of await readdir(join(folder, part)))
          if (name.endsWith(UNFINISHED)) await rm(join(folder, part, name));
      }
    });
    return new FolderArchive(folder);
  }

  /** Puts a public key beside the records. Thrown AUDIT_ARCHIVE_DIFFERS, AUDIT_ARCHIVE_FAILED. */
  addKey(id: string, pem: string): Promise<void> {
    return named(this.#folder, () => this.#writeText(keyFile(id), pem));
  }

  newest(): Promise<Seal | undefined> {
    return named(this.#folder, async () => {
      const size = (await this.#sizes()).at(-1);
      return size === undefined ? undefined : sealIn(await this.#seal(size));
    });
  }

  key(id: string): Promise<string | undefined> {
    return named(this.#folder, async () => {
      const names = await readdir(join(this.#folder, 'keys'));
      const file = keyFile(id);
      if (!names.includes(basename(file))) return undefined;
      return readFile(join(this.#folder, file), 'utf8');
    });
  }

  async *ranges(size: number): AsyncGenerator<ArchivedRange> {
    const sizes = await named(this.#folder, () => this.#sizes());
    for (const [place, end] of sizes.entries()) {
      if (end <= size) continue;
      const from = sizes[place - 1] ?? 0;
      yield await named(this.#folder, async () => {
        const text = await this.#seal(end);
        const before = from === 0 ? undefined : sealIn(await this.#seal(from));
        const files = segmentsIn(text).map(({ file }) => join(this.#folder, file));
        return { seal: sealIn(text), from, before, lines: () => this.#lines(files) };
      });
    }
  }

  async *#lines(files: readonly string[]): AsyncGenerator<readonly string[]> {
    for (const file of files) {
      const lines = linesOf(file);
      for (;;) {
        const { done, value } = await named(this.#folder, () => lines.next());
        if (done === true) break;
        yield value;
      }
    }
  }

  /** Of the seals, the smallest first. */
  async #sizes(): Promise<readonly number[]> {
    const names = await readdir(join(this.#folder, 'seals'));
    return names.flatMap((name) => sizeOfSealFile(name) ?? []).sort((a, b) => a - b);
  }

  #seal(size: number): Promise<string> {
    return readFile(join(this.#folder, sealFile(size)), 'utf8');
  }

  add(range: SealedRange, lines: AsyncIterable<readonly string[]>): Promise<void> {
    return named(this.#folder, async () => {
      const segments: Segment[] = [];
      let { from } = range;
      for await (const part of segmentsOf(lines)) {
        segments.push(await writeSegment(this.#folder, from, part));
        from += part.length;
      }
      await this.#writeText(sealFile(range.seal.size), sealText(range, segments));
    });
  }

  #writeText(file: string, text: string): Promise<void> {
    const path = join(this.#folder, file);
    return writeOnce(
      path,
      (handle) => handle.writeFile(text),
      async () => (await readFile(path, 'utf8')) === text,
    );
  }
}

/** Names what the file system threw. */
async function named<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError<AuditErrorCode>(
      'AUDIT_ARCHIVE_FAILED',
      `The audit archive ${folder} cannot be used: ${messageOf(cause)}`,
      { cause, retryable: true },
    );
  }
}
