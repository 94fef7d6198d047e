import { describe, expect, it } from '@jest/globals';
import { type KnownRun, standingOf } from './standing.ts';
import { nothingYet, type Work } from '../run/run.ts';

let made = 0;
const work = (of: Partial<Work>): Work => ({
  migration: 'order-totals',
  action: 'execute',
  batchSize: 200,
  sampleSize: 50,
  definitionHash: 'one',
  startedAt: (made += 1),
  sweep: 1,
  batches: 0,
  changedInSweep: 0,
  total: nothingYet,
  fence: 0,
  workedMs: 0,
  failures: [],
  ...of,
});
const run = (of: Partial<Work>, how: object = { status: 'completed', report: {} }): KnownRun => {
  const { startedAt, ...rest } = work(of);
  const ended = { endedAt: startedAt };
  return { id: `m-${startedAt}`, run: { work: { startedAt, ...rest }, ...ended, ...how } as never };
};
const changed = { total: { ...nothingYet, matched: 7, changed: 7 }, expected: 7, batches: 1 };
const failed = { status: 'failed', code: 'MIGRATION_UP_FAILED', message: 'x' };

describe('a migration', () => {
  it('that was never run is untouched, and a dry run leaves it so', () => {
    expect(standingOf([])).toMatchObject({ done: 'nothing', cutOver: false });
    expect(standingOf([run({ action: 'plan' })])).toEqual(standingOf([]));
  });

  it('has the text of its first execute, until a person accepts another one', () => {
    const first = run(changed);
    expect(standingOf([first, run({ definitionHash: 'two' })]).text?.hash).toBe('one');
    const accepted = run({ definitionHash: 'two', acceptChange: 'a comment' });
    expect(standingOf([accepted, first]).text).toEqual({ hash: 'two', run: accepted.id });
  });

  it('is executed in part once something may be written, not before', () => {
    expect(standingOf([run({}, failed)]).done).toBe('nothing');
    expect(standingOf([run({ expected: 7 }, failed)]).done).toBe('partly');
    expect(standingOf([run(changed, { status: 'paused' })]).done).toBe('partly');
    expect(standingOf([run(changed)]).done).toBe('all');
  });

  it('is verified until something is changed again', () => {
    const verified = [run(changed), run({ action: 'verify' })];
    expect(standingOf(verified).verified).toBe('one');
    expect(standingOf([...verified, run({})]).verified).toBe('one');
    expect(standingOf([...verified, run(changed)]).verified).toBeUndefined();
    expect(standingOf([...verified, run({ action: 'verify' }, failed)]).verified).toBe('one');
    const disproved = { ...failed, code: 'MIGRATION_NOT_VERIFIED' };
    expect(
      standingOf([...verified, run({ action: 'verify' }, disproved)]).verified,
    ).toBeUndefined();
  });

  it('is as if it had never been executed once it is reverted, and executed in part before', () => {
    const done = [run(changed), run({ action: 'verify' }), run({ action: 'cutover' })];
    expect(standingOf([...done, run({ action: 'revert' })])).toEqual(standingOf([]));
    expect(standingOf([...done, run({ action: 'revert' }, failed)])).toMatchObject({
      done: 'partly',
      verified: undefined,
      text: { hash: 'one' },
    });
  });

  it('is reverted by a run that failed and undid what it had done, if that came to its end', () => {
    const reverting = { code: 'x', message: 'x', before: changed.total };
    const undone = { ...failed, reverted: changed.total };
    expect(standingOf([run(changed), run({ reverting }, undone)]).done).toBe('nothing');
    expect(standingOf([run(changed), run({ reverting }, failed)]).done).toBe('partly');
    const now = standingOf([
      run(changed),
      run({ reverting, action: 'verify' }, { status: 'running' }),
    ]);
    expect(now).toMatchObject({ done: 'partly', writing: [{ action: 'verify' }] });
  });

  it('is executed in part where a run undid itself, and only itself, after others', () => {
    const reverting = { code: 'x', message: 'x', before: changed.total };
    const undone = { ...failed, reverted: changed.total };
    const itself = (journalFrom: number) => run({ ...changed, reverting, journalFrom }, undone);
    expect(standingOf([itself(0)])).toEqual(standingOf([]));
    const executed = run(changed);
    expect(standingOf([executed, run({ action: 'verify' }), itself(4)])).toMatchObject({
      done: 'partly',
      verified: undefined,
      text: { run: executed.id },
    });
    const all = run({ ...changed, action: 'verify', reverting }, undone);
    expect(standingOf([executed, all]).done).toBe('nothing');
  });

  it('stands after the rollback of a rollout as others have left it, with their text', () => {
    const ofRollout = (id: string, of: Partial<Work>) => run({ ...of, rollout: { id } as never });
    const others = run(changed);
    const accepted = { ...changed, definitionHash: 'two', acceptChange: 'a comment' };
    const rollout = ofRollout('r-1', accepted);
    const back = (id: string, of: Partial<Work> = changed) =>
      ofRollout(id, { ...of, action: 'revert' });
    expect(standingOf([others, rollout, back('r-1')])).toMatchObject({
      done: 'partly',
      text: { run: others.id },
    });
    expect(standingOf([others, rollout, back('r-1', {})]).done).toBe('all');
    expect(standingOf([rollout, back('r-1')])).toEqual(standingOf([]));
    expect(standingOf([others, back('r-2', {})])).toEqual(standingOf([others]));
    const byHand = run({ action: 'cutover' });
    const cutover = ofRollout('r-1', { action: 'cutover' });
    expect(standingOf([others, rollout, cutover, back('r-1')]).cutOver).toBe(false);
    expect(standingOf([byHand, cutover, back('r-1', {})]).done).toBe('all');
    expect(standingOf([cutover, back('r-1', {})])).toEqual(standingOf([]));
    // An execute that did not undo itself to its end has left something, too.
    const reverting = { code: 'x', message: 'x', before: changed.total };
    const left = run({ ...changed, reverting, journalFrom: 0 }, failed);
    const again = ofRollout('r-1', changed);
    expect(standingOf([left, again, back('r-1')]).done).toBe('partly');
  });

  it('is executed in part, with its text, while documents are listed that could not be undone', () => {
    const left = { ...changed.total, failed: 1 };
    const gone = { ...changed.total, mismatched: 1 };
    const executed = run(changed);
    const part = { done: 'partly', text: { hash: 'one' } };
    expect(standingOf([executed, run({ action: 'revert', total: left })])).toMatchObject(part);
    expect(standingOf([executed, run({ action: 'revert', total: gone })]).done).toBe('nothing');
    const reverting = { code: 'x', message: 'x', before: changed.total };
    const itself = run({ ...changed, reverting, journalFrom: 0 }, { ...failed, reverted: left });
    expect(standingOf([itself])).toMatchObject(part);
    const verify = run({ action: 'verify', reverting }, { ...failed, reverted: left });
    expect(standingOf([executed, verify])).toMatchObject(part);
    expect(standingOf([itself, run({ action: 'revert' })])).toEqual(standingOf([]));
  });

  it('has no way back once a cleanup has begun, unless that was refused before', () => {
    const cleanup = run({ action: 'cleanup' }, { status: 'cancelled' });
    expect(standingOf([run(changed), cleanup]).forgottenBy).toBe(cleanup.id);
    const refused = run({ action: 'cleanup' }, { ...failed, code: 'MIGRATION_NOT_READY' });
    expect(standingOf([run(changed), refused]).forgottenBy).toBeUndefined();
  });

  it('stands as others left it who were done after a run was paused', () => {
    const paused = run(changed, { status: 'paused' });
    expect(standingOf([run(changed), paused]).done).toBe('all');
  });

  it('stands as the run left it that has overtaken another one', () => {
    const overtaken = run(changed, { ...failed, code: 'MIGRATION_OVERTAKEN', endedAt: 1_000_000 });
    expect(standingOf([overtaken]).done).toBe('partly');
    expect(standingOf([overtaken, run({ action: 'revert' })])).toEqual(standingOf([]));
  });

  it('stands so, too, once that run is cancelled, as it is told to be', () => {
    const cancelled = (of: Partial<Work>) => run(of, { status: 'cancelled', endedAt: Infinity });
    const left = cancelled({ ...changed, action: 'revert' });
    const done = standingOf([run(changed), run({ action: 'verify' }), left]);
    expect(done).toMatchObject({ done: 'all', verified: 'one' });
    const executed = cancelled(changed);
    expect(standingOf([executed, run({ action: 'revert' })])).toEqual(standingOf([]));
    expect(standingOf([run({ action: 'revert' }), cancelled(changed)]).done).toBe('partly');
  });

  it('names who writes now', () => {
    const active = run({}, { status: 'running' });
    expect(standingOf([active, run({ action: 'plan' }, { status: 'running' })]).writing).toEqual([
      { id: active.id, action: 'execute' },
    ]);
  });
});
