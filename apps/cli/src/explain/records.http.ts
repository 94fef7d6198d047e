import { isRejection } from '@tidegate/kernel';
import type { Client } from '../http/client.ts';
import { type Content, toldIn } from './decision.ts';
import { type Found, Gathered } from './gathered.ts';

interface Recorded {
  readonly manifest: { readonly position: number; readonly recordedAt: number };
  readonly content: Content | null;
}

/** What audit-sink has recorded of a rollout. Newest first, as it answers, and no further back than to the start. */
export async function inRecords(client: Client, rollout: string): Promise<Found> {
  const gathered = new Gathered();
  const oldest = await walk(client, { topic: 'rollout.events' }, (record) => {
    take(gathered, record, rollout);
    return gathered.isWhole;
  });
  if (gathered.found.events > 0)
    await walk(client, { topic: 'metric.breaches', since: String(oldest) }, (record) => {
      take(gathered, record, rollout);
      return false;
    });
  return gathered.found;
}

/** Visits records until one says that it is enough; returns when the last one visited was recorded. */
async function walk(
  client: Client,
  search: Readonly<Record<string, string>>,
  visit: (record: Recorded) => boolean,
): Promise<number> {
  let oldest = 0;
  for (let after: string | undefined; ;) {
    const query = new URLSearchParams({ ...search, limit: '500', ...(after && { after }) });
    const { body } = await client.call<{ items: readonly Recorded[]; next?: string }>(
      'audit-sink',
      'GET',
      `/v1/records?${query.toString()}`,
    );
    for (const record of body.items) {
      oldest = record.manifest.recordedAt;
      if (visit(record)) return oldest;
    }
    if (body.next === undefined) return oldest;
    after = body.next;
  }
}

function take(gathered: Gathered, { manifest, content }: Recorded, rollout: string): void {
  const { position } = manifest;
  const told = content && toldIn(content, rollout);
  if (!told) return;
  if (isRejection(told)) return gathered.problem(`Record ${position}: ${told.message}`);
  gathered.take(told, position);
}
