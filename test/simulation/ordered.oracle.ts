import type { FlagRecord, FlagState } from '@tidegate/contracts';
import { FlagView } from '@tidegate/evaluation';
import { canonicalJson } from '@tidegate/kernel';
import { type Evidence, orderOf } from './evidence.ts';
import { ENVIRONMENT } from './scenario.ts';
import { Seeded } from './random.ts';
import { Violation } from './sim.ts';

const broken = (what: string): never => {
  throw new Violation('P3', what);
};

/** Promise 3: in order per key; no view holds an older state than the store, whatever came in which order. */
export async function checkOrdered(evidence: Evidence): Promise<void> {
  const { world, messages } = evidence;
  const last = new Map<string, number>();
  for (const message of messages) {
    const origin = world.saved.get(message.metadata.id);
    if (!origin) continue;
    const lane = `${message.topic} ${message.key} of ${origin.collection}/${origin.document}`;
    const order = orderOf(message);
    const before = last.get(lane) ?? 0;
    if (order < before) broken(`on ${lane}, ${message.type} m${order} came after m${before}`);
    last.set(lane, order);
  }
  const stored = storedFlags(evidence);
  for (const { name, flags } of await world.views())
    for (const [key, text] of stored) holds(name, flags.get(key), text);
  for (const application of world.applications)
    for (const [key, text] of stored) holds(application.target, application.get(key), text);
  anyOrderWillDo(evidence, stored);
  newestIsLast(evidence, stored);
}

/** Key → the record that every view must have. */
function storedFlags(evidence: Evidence): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const id of evidence.world.disk.documents.get('flags')?.keys() ?? []) {
    const newest = evidence.flag(id).at(-1);
    const key = id.slice(ENVIRONMENT.length + 1);
    if (newest)
      found.set(key, textOf({ key, epoch: 1, version: newest.version, flag: newest.flag }));
  }
  return found;
}

const textOf = (record: FlagRecord): string => canonicalJson(JSON.parse(JSON.stringify(record)));

function holds(who: string, record: FlagRecord | undefined, text: string): void {
  const held = record ? textOf(record) : 'nothing';
  if (held !== text) broken(`${who} holds ${held}, the store ${text}`);
}

const recordsOf = (evidence: Evidence): readonly FlagRecord[] =>
  evidence.world.bus.published
    .filter(({ type }) => type === 'FlagState')
    .map((message) => {
      const { data, metadata } = message as unknown as FlagState;
      return { key: data.key, epoch: 1, version: 0, ...metadata.revision, flag: data.flag };
    });

function anyOrderWillDo(evidence: Evidence, stored: ReadonlyMap<string, string>): void {
  const view = evidence.world.defect.holder?.() ?? new FlagView();
  for (const record of new Seeded(1).shuffled(recordsOf(evidence))) view.apply(record);
  for (const [key, text] of stored) holds('whoever reads in any order', view.get(key), text);
}

/** The topic is compacted: what comes last of a key is what a new reader gets. */
function newestIsLast(evidence: Evidence, stored: ReadonlyMap<string, string>): void {
  const last = new Map(recordsOf(evidence).map((record) => [record.key, record]));
  for (const [key, text] of stored) holds('the compacted topic', last.get(key), text);
}
