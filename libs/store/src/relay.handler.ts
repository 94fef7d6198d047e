import type { Documents } from './documents.port.ts';

export interface Relayed {
  /** Documents of which the bus has now taken everything. */
  readonly published: number;
  /** Documents that still owe. */
  readonly failed: number;
}

type Flush = (documents: Documents<unknown>, id: string) => Promise<boolean>;

const BATCH = 100;

/** One round: every document that owes is flushed at most once; collections do not wait for each other. */
export async function relay(
  flush: Flush,
  collections: readonly Documents<unknown>[],
): Promise<Relayed> {
  const rounds = await Promise.allSettled(collections.map((each) => relayOne(flush, each)));
  const broken = rounds.find((round) => round.status === 'rejected');
  if (broken) throw broken.reason;
  const flushed = rounds.flatMap((round) => (round.status === 'fulfilled' ? round.value : []));
  const published = flushed.filter(Boolean).length;
  return { published, failed: flushed.length - published };
}

async function relayOne(flush: Flush, documents: Documents<unknown>): Promise<boolean[]> {
  const seen = new Set<string>();
  const results: boolean[] = [];
  for (;;) {
    // Those that failed stay in front: ask for as many more, so that they stand in nobody's way.
    const failed = results.filter((published) => !published).length;
    const owing = await documents.owing(failed + BATCH);
    const fresh = owing.filter((id) => !seen.has(id));
    for (const id of fresh) seen.add(id);
    results.push(...(await Promise.all(fresh.map((id) => flush(documents, id)))));
    if (fresh.length === 0 || owing.length < failed + BATCH) return results;
  }
}
