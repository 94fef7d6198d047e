import type { Snapshot } from './environment-flags.ts';
import { deflated, GZIP_HEAD, gzipEnd } from './gzip-parts.gzip.ts';

/** A snapshot as it is sent. Each form is made once, when somebody first asks for it, and shared by all who do. */
export class SentSnapshot {
  readonly digest: string;
  /** JSON */
  readonly plain: Buffer;
  #blocks: Promise<Buffer> | undefined;
  #gzip: Promise<Buffer> | undefined;

  constructor({ digest, text }: Snapshot) {
    this.digest = digest;
    this.plain = Buffer.from(text);
  }

  /** The JSON as a part of a gzip stream. */
  readonly blocks = (): Promise<Buffer> => {
    this.#blocks ??= deflated(this.plain);
    return this.#blocks;
  };

  /** The JSON as a whole gzip stream. */
  readonly gzip = (): Promise<Buffer> => {
    this.#gzip ??= this.blocks().then((blocks) =>
      Buffer.concat([GZIP_HEAD, blocks, gzipEnd(this.plain)]),
    );
    return this.#gzip;
  };
}

const sent = new WeakMap<Snapshot, SentSnapshot>();

/** A new snapshot is made with every change, so what is not sent any more is not kept. */
export function sentSnapshot(snapshot: Snapshot): SentSnapshot {
  const known = sent.get(snapshot);
  if (known) return known;
  const made = new SentSnapshot(snapshot);
  sent.set(snapshot, made);
  return made;
}
