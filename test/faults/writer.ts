import { setTimeout as wait } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { booleanFlag, type House, Unanswered } from '../e2e/house.ts';
import { historyOf } from './evidence.ts';
import type { ProcessWorld } from './process-world.ts';
import { FLAGS, type World } from './world.ts';

/** Somebody who changes the flag `bystander` all the time, and remembers what was acknowledged. */
export interface Writer extends AsyncDisposable {
  /** By version: the percentage that the service said is in force. */
  readonly acknowledged: ReadonlyMap<number, number>;
  /** How often nobody answered. */
  readonly unanswered: number;
  stop(): Promise<void>;
}

/** What the writer was told is in force is what the flag's history says. */
export async function acknowledgedIsKept(house: House, { acknowledged }: Writer): Promise<void> {
  const history = await historyOf(house, 'bystander');
  const percentages = new Map(
    history.map(({ version, after }) => [version, after?.definition.exposure.percentage]),
  );
  expect(acknowledged.size).toBeGreaterThan(50);
  for (const [version, percentage] of acknowledged)
    expect({ version, percentage: percentages.get(version) }).toEqual({ version, percentage });
}

export function startWriter(world: Pick<World | ProcessWorld, 'house'>, betweenMs = 20): Writer {
  const acknowledged = new Map<number, number>();
  let unanswered = 0;
  const over = new AbortController();
  const write = async (): Promise<void> => {
    for (let count = 1; !over.signal.aborted; count += 1) {
      const percentage = (count % 1_000) / 10;
      try {
        const { status, body } = await world
          .house()
          .ask<{ version: number }>('PUT', 'flag-service', `${FLAGS}/bystander`, {
            body: booleanFlag(percentage),
          });
        if (status !== 200 && status !== 503)
          throw new Error(`Refused with ${status}: ${JSON.stringify(body)}`);
        if (status === 200) acknowledged.set(body.version, percentage);
      } catch (error) {
        if (!(error instanceof Unanswered)) throw error;
        unanswered += 1;
      }
      await wait(betweenMs);
    }
  };
  const writing = write();
  const stop = async (): Promise<void> => {
    over.abort();
    await writing;
  };
  return {
    acknowledged,
    get unanswered() {
      return unanswered;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
