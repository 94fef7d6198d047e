import { reject, type Rejection } from '@tidegate/kernel';
import type { Projection } from '@tidegate/store';
import type { LogReader } from '../log/read.handler.ts';
import { recordOf } from '../record/line.ts';
import { leafText } from '../record/manifest.ts';
import { consistencySpans, inclusionSpans, type Span } from '../tree/proof.ts';
import { LOG_NAME, type Seal } from './seal.ts';

export interface InclusionProof {
  readonly position: number;
  /** The leaf's data, exactly: SHA-256(0x00 ‖ UTF-8 of this) is the leaf's hash. */
  readonly leaf: string;
  readonly seal: Seal;
  /** Base64, from the leaf up: RFC 6962 §2.1.1. */
  readonly path: readonly string[];
}

export interface ConsistencyProof {
  readonly older: Seal;
  readonly newer: Seal;
  /** Base64: RFC 6962 §2.1.2. */
  readonly path: readonly string[];
}

/** Proofs of what is sealed. */
export class Proofs {
  readonly #reader: LogReader;
  readonly #history: Projection<Seal>;

  constructor(reader: LogReader, history: Projection<Seal>) {
    this.#reader = reader;
    this.#history = history;
  }

  /** That a record stands in the tree of the newest seal. Refused with RECORD_UNKNOWN, RECORD_NOT_SEALED. */
  async inclusion(position: number): Promise<InclusionProof | Rejection> {
    const line = await this.#reader.find(position);
    if (line === undefined) return recordUnknown(position);
    const seal = (await this.#history.last(LOG_NAME))?.record;
    if (!seal || seal.size <= position)
      return reject('RECORD_NOT_SEALED', `Record ${position} is not sealed yet.`);
    const path = await this.#hashes(inclusionSpans(position, seal.size));
    return { position, leaf: leafText(recordOf(line).manifest), seal, path };
  }

  /** That the tree of one seal begins with that of an older one. Refused with SEAL_UNKNOWN, SEAL_NOT_OLDER. */
  async consistency(older: number, newer: number): Promise<ConsistencyProof | Rejection> {
    if (older > newer)
      return reject(
        'SEAL_NOT_OLDER',
        `The seal of ${older} records is not older than that of ${newer}.`,
      );
    const [first, second] = [await this.#seal(older), await this.#seal(newer)];
    if (!first) return sealUnknown(older);
    if (!second) return sealUnknown(newer);
    return {
      older: first,
      newer: second,
      path: await this.#hashes(consistencySpans(older, newer)),
    };
  }

  async #seal(size: number): Promise<Seal | undefined> {
    const [entry] = await this.#history.read(LOG_NAME, { before: size + 1, limit: 1 });
    return entry?.version === size ? entry.record : undefined;
  }

  async #hashes(spans: readonly Span[]): Promise<readonly string[]> {
    const hashes: string[] = [];
    for (const span of spans) hashes.push((await this.#reader.hashOf(span)).toString('base64'));
    return hashes;
  }
}

export const recordUnknown = (position: number): Rejection =>
  reject('RECORD_UNKNOWN', `There is no audit record ${position}.`);

const sealUnknown = (size: number): Rejection =>
  reject('SEAL_UNKNOWN', `There is no seal of ${size} records.`);
