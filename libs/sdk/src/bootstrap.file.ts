import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import type { Bootstrap } from './bootstrap.port.ts';

export interface FileBootstrapOptions {
  /** Its folder must be there. */
  readonly file: string;
  /** Keep it up to date; otherwise it is only read. Default false. */
  readonly persist?: boolean;
}

export const bootstrapOf = (given: FileBootstrapOptions | Bootstrap): Bootstrap =>
  'load' in given ? given : fileBootstrap(given);

export function fileBootstrap({ file, persist = false }: FileBootstrapOptions): Bootstrap {
  return {
    saveEveryMs: 1_000,
    load: async () => {
      try {
        const [text, { mtimeMs }] = await Promise.all([readFile(file, 'utf8'), stat(file)]);
        return { text, at: mtimeMs };
      } catch (error) {
        // Before the first run there is none.
        if (persist && isMissing(error)) return undefined;
        throw error;
      }
    },
    ...(persist ? { save: (text: string) => replaceFile(file, text) } : {}),
    close: () => Promise.resolve(),
  };
}

/** Beside it, to the disk, then in its place: whoever reads finds the old text or the new one. */
async function replaceFile(file: string, text: string): Promise<void> {
  const beside = `${file}.${randomUUID()}.tmp`;
  try {
    await writeFile(beside, text, { flush: true, mode: 0o600 });
    await rename(beside, file);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

const isMissing = (error: unknown): boolean => (error as { code?: unknown }).code === 'ENOENT';
