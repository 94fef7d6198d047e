import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { House } from '../e2e/house.ts';
import { FLAGS } from './world.ts';

/** One record of the archive: a message as it was published. */
export interface Archived {
  /** Topic, partition and offset. */
  readonly origin: string;
  readonly topic: string;
  readonly type: string;
  readonly source: string;
  readonly id: string;
  readonly key: string;
  /** Of the document that published it. */
  readonly version: number;
  readonly data: Readonly<Record<string, unknown>>;
}

interface Line {
  readonly manifest: {
    readonly kind: 'message' | 'gap';
    readonly origin: {
      readonly topic: string;
      readonly partition: number;
      readonly offset: string;
    };
  };
  readonly content: {
    readonly headers: Readonly<Record<string, string>>;
    readonly value: { readonly utf8: string };
  };
}

/** Every message in the archive below the data folder, in the order of the log, repeats included. Thrown when some are missing. */
export function archived(folder: string): readonly Archived[] {
  const segments = join(folder, 'audit', 'archive', 'segments');
  return readdirSync(segments)
    .sort()
    .flatMap((name) =>
      gunzipSync(readFileSync(join(segments, name)))
        .toString()
        .trimEnd()
        .split('\n'),
    )
    .map((line) => {
      const { manifest, content } = JSON.parse(line) as Line;
      if (manifest.kind === 'gap') throw new Error(`The archive has a gap: ${line}`);
      const { headers } = content;
      const { topic, partition, offset } = manifest.origin;
      return {
        origin: `${topic} ${partition} ${offset}`,
        topic,
        type: headers['ce_type'] ?? '',
        source: headers['ce_source'] ?? '',
        id: headers['ce_id'] ?? '',
        key: headers['ce_subject'] ?? '',
        version: Number(headers['ce_version']),
        data: JSON.parse(content.value.utf8) as Record<string, unknown>,
      };
    });
}

/** A message that was published again is the same message: it has the same source and id. */
export const distinct = (messages: readonly Archived[]): readonly Archived[] => [
  ...new Map(messages.map((each) => [`${each.source} ${each.id}`, each])).values(),
];

export interface PastChange {
  readonly version: number;
  readonly type: string;
  readonly after: { readonly definition: { readonly exposure: { percentage: number } } } | null;
}

/** The flag's whole history, oldest change first. */
export const historyOf = async (house: House, flag: string): Promise<readonly PastChange[]> =>
  (await everyItem<PastChange>(house, 'flag-service', `${FLAGS}/${flag}/history`)).toReversed();

/** All pages of a list. */
export async function everyItem<T>(house: House, service: string, path: string): Promise<T[]> {
  const found: T[] = [];
  let after = '';
  do {
    const page = `?limit=200${after === '' ? '' : `&after=${after}`}`;
    const { status, body } = await house.ask<{ items: T[]; next?: string | number }>(
      'GET',
      service,
      path + page,
    );
    if (status !== 200) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`);
    found.push(...body.items);
    after = String(body.next ?? '');
  } while (after !== '');
  return found;
}
