import { setTimeout as sleep } from 'node:timers/promises';
import type { Deed, Orders } from './orders.ts';

const LANES = 4;
/** Of a lane: while programs go on inserting the old form for ever, no migration can come to its end. */
const INSERTS = 15;

interface Options {
  readonly draw: () => number;
  readonly perSecond: number;
  /** The same orders are written by the same lane, so that their history has an order. */
  readonly history: Map<number, Deed[]>;
  /** Left out: also inserts and deletes. */
  readonly only?: readonly Deed['kind'][];
}

export interface Writers extends AsyncDisposable {
  /** Resolves with how much they did. */
  stop(): Promise<number>;
}

/** Programs that know nothing of a migration, and write orders until they are stopped. */
export function writeOrders(orders: Orders, options: Options): Writers {
  const over = new AbortController();
  const lanes = Array.from({ length: LANES }, (_, lane) =>
    write(orders, options, lane, over.signal),
  );
  const stop = async (): Promise<number> => {
    over.abort();
    return (await Promise.all(lanes)).reduce((sum, count) => sum + count, 0);
  };
  return { stop, [Symbol.asyncDispose]: async () => void (await stop()) };
}

async function write(
  orders: Orders,
  { draw, perSecond, history, only }: Options,
  lane: number,
  over: AbortSignal,
): Promise<number> {
  const begun = performance.now();
  const ids = [...history.keys()].filter((id) => Math.abs(id) % LANES === lane);
  let done = 0;
  let inserted = 0;
  while (!over.aborted) {
    const drawn = kindFor(draw());
    const kind = drawn === 'insert' && inserted === INSERTS ? 'note' : drawn;
    if (!only || only.includes(kind)) {
      const id = kind === 'insert' ? next(lane, (inserted += 1)) : some(ids, draw);
      const deed = deedOf(kind, draw);
      await orders.do(id, deed);
      if (kind === 'insert') ids.push(id);
      history.set(id, [...(history.get(id) ?? []), deed]);
      done += 1;
    }
    const due = begun + ((done * LANES) / perSecond) * 1_000;
    await sleep(Math.max(0, due - performance.now()));
  }
  return done;
}

/** Below and above all that were there. */
const next = (lane: number, count: number): number =>
  (count % 2 === 0 ? 1 : -1) * (10_000_000 + count * LANES + lane);

const some = (ids: readonly number[], draw: () => number): number =>
  ids[Math.floor(draw() * ids.length)] as number;

function kindFor(share: number): Deed['kind'] {
  if (share < 0.3) return 'note';
  if (share < 0.6) return 'price';
  if (share < 0.85) return 'size';
  return share < 0.93 ? 'insert' : 'delete';
}

function deedOf(kind: Deed['kind'], draw: () => number): Deed {
  const number = Math.floor(draw() * 1_000);
  switch (kind) {
    case 'note':
      return { kind, note: `note ${number}` };
    case 'price':
      return { kind, price: number };
    case 'size':
      return { kind, size: number };
    default:
      return { kind };
  }
}
