import { describe, expect, it } from '@jest/globals';
import { rolloutCollection } from './rollouts.ts';

import { CANARY, GUARDS, Story } from './story.memory.ts';

const WITHIN = `${GUARDS}recovery: { within: 5s }\n`;
const rolledBack = (guards = WITHIN) =>
  new Story([CANARY], guards)
    .opened()
    .check({ requests: 1_000, errors: 100 })
    .answered('RestoreFlag');
const isWatched = ({ state }: Story) => rolloutCollection.index(state)['watched'];
const judged = ({ messages }: Story) =>
  messages.flatMap(({ type, data }) => (type === 'RecoveryJudged' ? [data] : []));

describe('after a rollback', () => {
  it('the flag is free at once: the recovery is judged beside', () => {
    const ended = rolledBack();
    expect(ended.types()).toEqual(['RollbackActionDone', 'RolloutRolledBack', 'ReleaseFlag']);
    expect(ended.state).toMatchObject({ status: 'rolled-back', recovery: { status: 'awaited' } });
    expect(isWatched(ended)).toBe(true);
  });

  it('the metrics are judged on what is counted since, and then nobody looks any more', () => {
    const good = rolledBack().checks(3, { requests: 300 });
    expect(judged(good)).toEqual([]);
    expect(good.check({ requests: 300 }).types()).toEqual(['RecoveryJudged']);
    expect(judged(good)).toMatchObject([{ outcome: 'recovered', page: false }]);
    expect(good.state).toMatchObject({ recovery: { status: 'recovered' } });
    expect(isWatched(good)).toBe(false);
    expect(good.checks(20, { errors: 50 }).types()).toEqual([]);
  });

  it('metrics that stay bad page once, and roll nothing back again', () => {
    const bad = rolledBack().checks(5, { errors: 50 });
    expect(judged(bad)).toEqual([]);
    bad.checks(30, { errors: 50 });
    expect(judged(bad)).toMatchObject([{ outcome: 'persisting', page: true }]);
    expect(bad.count('RollbackStarted')).toBe(1);
    expect(bad.count('ThresholdBreached')).toBe(1);
  });

  it('nobody being served is no harm, once it has been seen for a while', () => {
    const quiet = rolledBack().checks(3, { requests: 0 });
    expect(judged(quiet)).toEqual([]);
    expect(judged(quiet.check({ requests: 0 }))).toMatchObject([{ outcome: 'recovered' }]);
  });

  it.each(['down', 'empty', 'nan'] as const)('missing data are no recovery: %s', (answer) => {
    const blind = rolledBack().checks(30, { answer });
    expect(judged(blind)).toMatchObject([{ outcome: 'persisting', page: true }]);
  });

  it('has its time from the first look on, also where nobody looked for long', () => {
    const late = rolledBack().check({}, 600_000);
    expect(judged(late)).toEqual([]);
    expect(judged(late.checks(3, { requests: 300 }))).toMatchObject([{ outcome: 'recovered' }]);
  });

  it('that came late, after it had failed, is judged as well', () => {
    const late = new Story([CANARY], WITHIN).opened().check({ requests: 1_000, errors: 100 });
    late.checks(12).answered('RestoreFlag').checks(4, { requests: 300 });
    expect(late.state).toMatchObject({ status: 'rolled-back', recovery: { status: 'recovered' } });
  });

  it('of what nobody was served there is nothing to judge', () => {
    const early = new Story([CANARY], WITHIN).start().held().person('RollBack');
    early.answered('RestoreFlag');
    expect(early.state).toMatchObject({ status: 'rolled-back' });
    expect(isWatched(early)).toBe(false);
  });

  it('of a plan without guards that act there is nothing to judge it by', () => {
    const shadow = GUARDS.replaceAll(' }', ', shadow: true }');
    for (const guards of ['', shadow]) {
      const ended = new Story([CANARY], guards).opened().person('RollBack');
      expect(isWatched(ended.answered('RestoreFlag'))).toBe(false);
    }
  });
});
