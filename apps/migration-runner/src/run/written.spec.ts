import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Migration, type Row, transform, type Transformed } from '@tidegate/migration';
import { keptEdit } from '../journal/kept.ts';
import { countsOf, foundOf } from './written.ts';

const migration: Migration = {
  id: 'm',
  target: 't',
  collection: 'orders',
  pending: { total: { equals: null } },
  reads: ['a'],
  up: (order) => ({ ...order, total: Number(order['a']) * 2 }),
};

/** What happens to one document between the moment it is read and the look after a crash. */
type Step = { edit: number } | { write: true } | { note: string } | { complete: number } | 'delete';
const steps = fc.array(
  fc.oneof(
    fc.record({ edit: fc.integer({ min: 0, max: 3 }) }),
    fc.constant({ write: true } as const),
    fc.record({ note: fc.string() }),
    fc.record({ complete: fc.integer({ min: 100, max: 103 }) }),
    fc.constant('delete' as const),
  ),
  { maxLength: 6 },
);

function played(from: Row, all: readonly Step[]) {
  let now: Row | undefined = from;
  let isOurs = false;
  const first = transform(migration, from);
  const attempts = first.kind === 'changed' ? [first] : [];
  for (const step of all) {
    if (!now) break;
    if (step === 'delete') now = undefined;
    else if ('edit' in step) now = { ...now, a: step.edit };
    else if ('note' in step) now = { ...now, note: step.note };
    else if ('complete' in step) now = { ...now, total: step.complete };
    else {
      // Compared and written as a target does: only what is pending, and each attempt is kept before it.
      const made: Transformed | undefined =
        now['total'] === null ? transform(migration, now) : undefined;
      if (made?.kind !== 'changed') continue;
      attempts.push(made);
      now = made.after;
      isOurs = true;
    }
  }
  return { now, isOurs, attempts: attempts.map((made) => keptEdit(1, made)) };
}

describe('a document of a batch that was not recorded', () => {
  it('is taken for written only if it is as up left it, and never while it is pending', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const { now, isOurs, attempts } = played({ id: 1, a: 1, total: null }, all);
        const found = foundOf(migration, { attempts, now });
        const isAsWritten = now?.['total'] === Number(now?.['a']) * 2;
        if (found === 'written') expect([isOurs, isAsWritten]).toEqual([true, true]);
        if (isOurs && isAsWritten) expect(found).toBe('written');
        if (now?.['total'] === null) expect(found).toBe('open');
        if (!now) expect(found).toBe('other');
      }),
      { numRuns: 1_000 },
    );
  });

  it('is still open where up converts a type, and it is not converted', () => {
    const numbers: Migration = {
      ...migration,
      pending: { a: { equals: '1' } },
      up: (order) => ({ ...order, a: Number(order['a']) }),
    };
    const before = { id: 1, a: '1' };
    const made = transform(numbers, before);
    if (made.kind !== 'changed') throw new Error(made.kind);
    const attempts = [keptEdit(1, made)];
    expect(foundOf(numbers, { attempts, now: before })).toBe('open');
    expect(foundOf(numbers, { attempts, now: made.after })).toBe('written');
  });

  it('is counted once, and not at all while it is still to be done', () => {
    expect(countsOf(['written', 'open', 'other', 'written'])).toEqual({
      matched: 3,
      changed: 2,
      skipped: 0,
      mismatched: 1,
    });
  });
});
