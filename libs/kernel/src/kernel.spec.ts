import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  canonicalJson,
  causeOf,
  formatDuration,
  formatPercentage,
  isNewer,
  isRejection,
  messageOf,
  parseDuration,
  parsePercentage,
  shortened,
} from './index.ts';

describe('durations', () => {
  it.each([
    ['250ms', 250],
    ['30s', 30_000],
    ['15m', 900_000],
    ['1h30m', 5_400_000],
    ['2d', 172_800_000],
    ['0.5s', 500],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['', '15', 'm', '15 m', '-5m', '15m!', '1h 30m'])('refuses "%s"', (text) => {
    expect(parseDuration(text)).toMatchObject({ code: 'DURATION_MALFORMED' });
  });

  it('reads back what it writes, for whole seconds below a day with two units', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3_599 }), (seconds) => {
        expect(parseDuration(formatDuration(seconds * 1_000))).toBe(seconds * 1_000);
      }),
    );
  });
});

describe('percentages', () => {
  it('reads steps of 0.001 % and nothing finer', () => {
    expect(parsePercentage('0.001 %')).toBe(1);
    expect(parsePercentage(33.333)).toBe(33_333);
    expect(parsePercentage('0.0005')).toMatchObject({ code: 'PERCENTAGE_MALFORMED' });
    expect(parsePercentage('100.001')).toMatchObject({ code: 'PERCENTAGE_MALFORMED' });
    expect(parsePercentage('-1')).toMatchObject({ code: 'PERCENTAGE_MALFORMED' });
  });

  it('reads back every step it writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100_000 }), (step) => {
        const percentage = parsePercentage(step / 1_000);
        if (isRejection(percentage)) throw new Error(percentage.message);
        expect(percentage).toBe(step);
        expect(parsePercentage(formatPercentage(percentage))).toBe(step);
      }),
    );
  });
});

describe('revisions', () => {
  it('orders by epoch before version', () => {
    expect(isNewer({ epoch: 2, version: 1 }, { epoch: 1, version: 99 })).toBe(true);
    expect(isNewer({ epoch: 1, version: 2 }, { epoch: 1, version: 2 })).toBe(false);
  });
});

describe('canonical JSON', () => {
  it('does not depend on the order in which keys were written', () => {
    expect(canonicalJson({ b: [{ d: 1, c: 2 }], a: null })).toBe(
      canonicalJson({ a: null, b: [{ c: 2, d: 1 }] }),
    );
  });
});

describe('a text that is too long', () => {
  it('loses its middle, and says how long it was', () => {
    const text = `up failed (${'x'.repeat(1_000_000)}) on orders 7.`;
    const short = shortened(text);
    expect(short.length).toBeLessThanOrEqual(500);
    expect(short).toMatch(/^up failed \(x+ … \(1000025 characters\) … x+\) on orders 7\.$/);
  });

  it('stays as it is where it is not, and is never cut within a character', () => {
    expect(shortened('x'.repeat(500))).toBe('x'.repeat(500));
    for (let longest = 40; longest < 60; longest += 1)
      expect(shortened('😀'.repeat(100), longest).isWellFormed()).toBe(true);
  });
});

describe('the sentence of a thrown value', () => {
  it.each([
    [new Error('broken'), 'broken'],
    ['broken', 'broken'],
    [undefined, 'undefined'],
    [{ message: 'broken elsewhere' }, 'broken elsewhere'],
    [Object.create(null), '[object Object]'],
    [{ message: 7, toString: 'no function' }, '[object Object]'],
  ])('is there for %j', (thrown, sentence) => {
    expect(messageOf(thrown)).toBe(sentence);
  });

  it('is there for an error that throws itself when it is read', () => {
    const hostile = {
      get message(): string {
        throw new Error('and another');
      },
    };
    expect(messageOf(hostile)).toBe('an error that cannot be read');
  });

  it('is there for whatever is thrown', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true }), (thrown) => {
        expect(typeof messageOf(thrown)).toBe('string');
      }),
    );
  });
});

describe('what lies behind an error', () => {
  it.each([
    [new Error('no cause'), 'no cause'],
    [
      new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') }),
      'connect ECONNREFUSED',
    ],
    [
      new Error('outer', {
        cause: Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }),
      }),
      'ECONNREFUSED',
    ],
    [new Error('outer', { cause: 'a thrown text' }), 'a thrown text'],
    [undefined, 'undefined'],
  ])('is said for %s', (error, said) => {
    expect(causeOf(error)).toBe(said);
  });

  it('comes to an end where an error is its own cause', () => {
    const error = new Error('round and round');
    error.cause = error;
    expect(causeOf(error)).toBe('round and round');
  });
});
