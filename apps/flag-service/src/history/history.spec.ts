import { flagDefinition, type FlagEvent } from '@tidegate/contracts';
import { expect, it } from '@jest/globals';
import { flagDecider } from '../flag/flag.ts';
import { storedAs, viewOf } from '../flag/stored-flag.ts';
import { pastChange, type PastChange, placeOf } from './history.ts';

const ref = { environment: 'production', key: 'checkout-v2' };
const definition = flagDefinition.parse({
  type: 'boolean',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  offVariant: 'off',
  exposure: { variant: 'on', percentage: 0 },
});
const flag = { definition, salt: 'salt' };
const r1 = { id: 'r-1', generation: 1 };
const disabled = { reason: 'checkout is down', at: 3, by: 'alex' };

const metadata = { id: 'e', source: 'flag-service', at: 3, actor: 'alex', correlationId: 'c' };
const kept = { decider: flagDecider, viewOf, stored: storedAs };
const follow = (events: readonly FlagEvent[]): PastChange | undefined =>
  events.reduce<PastChange | undefined>(
    (last, event, index) =>
      pastChange(kept, event, metadata, { epoch: 1, version: index + 1 }, last),
    undefined,
  );

const created: FlagEvent = { type: 'FlagCreated', data: { ...ref, after: flag, reason: 'begin' } };

it('says who made a flag, and why, from nothing', () => {
  expect(follow([created])).toEqual({
    epoch: 1,
    version: 1,
    at: 3,
    type: 'FlagCreated',
    by: 'alex',
    reason: 'begin',
    correlationId: 'c',
    before: null,
    after: flag,
  });
});

it('knows before and after also where the event tells only the difference', () => {
  const events: FlagEvent[] = [
    created,
    { type: 'FlagHeld', data: { ...ref, rollout: r1, definition, disabled: false } },
    { type: 'FlagDisabled', data: { ...ref, disabled, rollout: r1 } },
  ];
  const hold = { rollout: r1, since: 3 };
  expect(follow(events)).toMatchObject({
    reason: 'checkout is down',
    rollout: r1,
    before: { ...flag, hold },
    after: { ...flag, hold, disabled },
  });
});

it('ends with nothing when the flag is deleted', () => {
  const deleted: FlagEvent = {
    type: 'FlagDeleted',
    data: { ...ref, before: flag, reason: 'done' },
  };
  expect(follow([created, deleted])).toMatchObject({ before: flag, after: null });
});

it('does not invent what it has not seen', () => {
  const first: FlagEvent = { type: 'FlagDisabled', data: { ...ref, disabled } };
  expect(follow([first])).toMatchObject({ before: null, after: null, reason: 'checkout is down' });
});

it('puts what came after a restored store behind what came before it', () => {
  expect(placeOf({ epoch: 2, version: 1 })).toBeGreaterThan(placeOf({ epoch: 1, version: 4e9 }));
});
