import { describe, expect, it } from '@jest/globals';
import { flag } from '@tidegate/contracts';
import { readStreamEvent } from './stream-event.ts';

const record = {
  key: 'checkout-v2',
  epoch: 1,
  version: 4,
  flag: flag.parse({
    definition: {
      type: 'boolean',
      variants: { on: true, off: false },
      defaultVariant: 'off',
      offVariant: 'off',
      exposure: { variant: 'on', percentage: 10_000 },
    },
    salt: 'salt',
  }),
};
const snapshot = (flags: unknown[]) => JSON.stringify({ digest: 'd', flags });

describe('an event of the stream', () => {
  it('brings flags and deletions', () => {
    const deleted = { ...record, key: 'old', flag: null };
    expect(readStreamEvent('snapshot', snapshot([record, deleted]))).toEqual({
      kind: 'sync',
      states: [record, deleted],
      problems: [],
    });
    expect(readStreamEvent('flag', JSON.stringify(deleted))).toEqual({
      kind: 'change',
      states: [deleted],
      problems: [],
    });
  });

  it('costs only the flags that cannot be read', () => {
    const strange = {
      ...record,
      key: 'strange',
      flag: { salt: 's', definition: { type: 'date' } },
    };
    expect(readStreamEvent('snapshot', snapshot([strange, 7, record]))).toEqual({
      kind: 'sync',
      states: [record],
      problems: [
        expect.stringMatching(/^The flag strange cannot be read: flag\.definition\.type: /),
        expect.stringMatching(/^The flag without key cannot be read: /),
      ],
    });
  });

  it('brings segments, of which one that cannot be read costs only that one', () => {
    const segment = {
      key: 'beta',
      epoch: 1,
      version: 2,
      segment: { definition: { members: ['ada'] } },
    };
    const body = { digest: 'd', flags: [record], segments: [segment, { ...segment, version: -1 }] };
    expect(readStreamEvent('snapshot', JSON.stringify(body))).toMatchObject({
      kind: 'sync',
      states: [segment, record],
      problems: [expect.stringMatching(/^The segment beta cannot be read: version: /)],
    });
    expect(readStreamEvent('segment', JSON.stringify(segment))).toMatchObject({
      kind: 'change',
      states: [segment],
    });
  });

  it('may have fields that this release does not know', () => {
    const later = { ...record, segments: [], flag: { ...record.flag, rules: [] } };
    expect(readStreamEvent('flag', JSON.stringify(later))).toMatchObject({ states: [record] });
  });

  it('may be of a kind that this release does not know', () => {
    expect(readStreamEvent('weather', 'whatever')).toEqual({ kind: 'unknown' });
    expect(readStreamEvent('toString', 'whatever')).toEqual({ kind: 'unknown' });
    expect(readStreamEvent(undefined, '{}')).toEqual({ kind: 'unknown' });
  });

  it.each([
    ['flag', '{"key":'],
    ['snapshot', 'null'],
    ['snapshot', '{"digest":"d"}'],
  ])('is refused as %s with %s', (event, data) => {
    expect(readStreamEvent(event, data)).toMatchObject({ code: 'SDK_MESSAGE_INVALID' });
  });
});
