import { describe, expect, it } from '@jest/globals';
import { etagOf, ifMatch } from './etag.ts';
import { pageOf } from './page.ts';
import { problemOf, refusal, statusOf } from './problem.ts';

describe('a status', () => {
  it('is the service’s own word first, then ours, then what the code and its kind say', () => {
    expect(statusOf({ kind: 'refused', code: 'FLAG_TAKEN' }, { FLAG_TAKEN: 423 })).toBe(423);
    expect(statusOf({ kind: 'refused', code: 'COMMAND_EXPIRED' }, {})).toBe(410);
    expect(statusOf({ kind: 'refused', code: 'COMMAND_EXPIRED' }, { COMMAND_EXPIRED: 409 })).toBe(
      409,
    );
    expect(statusOf({ kind: 'refused', code: 'FLAG_UNKNOWN' }, {})).toBe(404);
    expect(statusOf({ kind: 'refused', code: 'AUTH_KEY_UNKNOWN' }, {})).toBe(401);
    expect(statusOf({ kind: 'refused', code: 'FLAG_HELD' }, {})).toBe(409);
    expect(statusOf({ kind: 'failed', code: 'FLAG_HELD' }, {})).toBe(500);
  });
});

describe('a problem', () => {
  it('tells a refusal in its own words', () => {
    expect(
      problemOf(refusal({ rejected: true, code: 'FLAG_HELD', message: 'r-1 holds it.' }), {}, 't'),
    ).toEqual({
      type: 'urn:tidegate:problem:FLAG_HELD',
      title: 'Flag held',
      status: 409,
      detail: 'r-1 holds it.',
      code: 'FLAG_HELD',
    });
  });

  it('tells an error by its trace alone, and what may pass by its code', () => {
    const inside = { kind: 'failed', message: 'SQLITE_FULL at /var/lib' } as const;
    const unknown = problemOf({ ...inside, code: 'STORE_FAILED' }, {}, 't-1');
    expect(unknown).toMatchObject({ status: 500, code: 'INTERNAL', traceId: 't-1' });
    const passing = problemOf({ ...inside, code: 'STORE_UNREACHABLE' }, {}, 't-1');
    expect(passing).toMatchObject({ status: 503, code: 'STORE_UNREACHABLE' });
    expect(JSON.stringify([unknown, passing])).not.toContain('SQLITE');
  });
});

describe('If-Match', () => {
  const demand = (header?: string) =>
    ifMatch({ headers: header === undefined ? {} : { 'if-match': header } }, 2);

  it('demands the version of an ETag that was given out in this epoch', () => {
    expect(demand(etagOf({ epoch: 2, version: 17 }))).toBe(17);
    expect(demand()).toBeUndefined();
  });

  it.each(['*', '17', '"17"', 'W/"2.17"', '"2.17", "2.18"', ''])('refuses %s', (header) => {
    expect(() => demand(header)).toThrow(expect.objectContaining({ code: 'IF_MATCH_MALFORMED' }));
  });

  it('refuses what was given out before the store was restored', () => {
    expect(() => demand('"1.17"')).toThrow(expect.objectContaining({ code: 'IF_MATCH_STALE' }));
  });
});

describe('a page', () => {
  const self = (item: string): string => item;

  it('has a cursor only when there is more', () => {
    expect(pageOf(['a', 'b', 'c'], 2, self)).toEqual({ items: ['a', 'b'], next: 'b' });
    expect(pageOf(['a', 'b'], 2, self)).toEqual({ items: ['a', 'b'] });
    expect(pageOf([], 2, self)).toEqual({ items: [] });
  });
});
