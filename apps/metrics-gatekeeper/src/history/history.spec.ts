import { describe, expect, it } from '@jest/globals';
import { rolloutBody } from '../rollout/rollout-body.ts';
import { ALL, CANARY, GUARDS, Story } from '../rollout/story.memory.ts';
import { type Entry, entryOf, placeOf, wholeDecisions } from './history.ts';
import { markdownOf, reportOf } from './report.ts';

const entry = (version: number, type = 'T'): Entry => ({
  type,
  at: version,
  by: 'alex',
  id: `${version}-${type}`,
  version,
  epoch: 1,
  data: {},
});

describe('a page of decisions', () => {
  const found = [entry(1), entry(2, 'A'), entry(2, 'B'), entry(2, 'C'), entry(3)];

  it('keeps together what was decided at once', () => {
    expect(wholeDecisions(found, 2)).toEqual({
      items: found.slice(0, 4),
      next: placeOf({ epoch: 1, version: 2 }),
    });
  });

  it('is the last one when nothing follows', () => {
    expect(wholeDecisions(found, 5)).toEqual({ items: found });
    expect(wholeDecisions(found.slice(0, 4), 2)).toEqual({ items: found.slice(0, 4) });
    expect(wholeDecisions([], 5)).toEqual({ items: [] });
  });
});

function reportAfter(story: Story) {
  const { state, evidence, now, messages } = story;
  if (state.status === 'absent' || !evidence) throw new Error('nothing to report');
  const check = { arrangedAt: 0, evidence, nextCheckAt: null };
  const entries = messages.map(({ type, data }, index) => {
    const metadata = { id: `${index}`, source: '', at: now, actor: 'alex', correlationId: '' };
    return entryOf({ type, key: '', data, metadata }, { epoch: 1, version: index });
  });
  return reportOf(rolloutBody(state, check, { epoch: 1, version: 1 }, now), entries);
}

describe('a report', () => {
  it('tells a healthy rollout step by step, with what each was left on', () => {
    const told = reportAfter(new Story([ALL]).opened().checks(4));
    expect(told.summary).toBe('Every step of the plan is done.');
    expect(told.timeline.map(({ what }) => what)).toEqual([
      'started by alex',
      'holds checkout-v2',
      'all: begins',
      'all: open at 100 %',
      'all: done, watched for 3s',
      'completed',
    ]);
    expect(told.evidence.map(({ outcome }) => outcome)).toEqual(['pass', 'pass']);
  });

  it('tells a broken one in numbers', () => {
    const broken = new Story([CANARY]).opened().check({ requests: 1_000, errors: 50 });
    const told = reportAfter(broken.answered('RestoreFlag'));
    expect(told.summary).toMatch(/50 of 1 000 requests failed \(5 %\), limit 1 %/);
    expect(told.summary).toContain('The flag is as it was before.');
    expect(told.evidence).toMatchObject([{ outcome: 'breach', evidence: { errors: 50 } }]);
    const markdown = markdownOf(told);
    expect(markdown).toContain('# open-checkout in production: rolled-back');
    expect(markdown).toMatch(/\| canary \| error-rate \| breach: error-rate-too-high \|/);
    expect(markdown).toContain('| restored | 0ms after the rollback was decided |');
    expect(markdown).toContain('| risk | 1 % that a healthy rollout is rolled back |');
  });

  it('tells of levels of risk, of guards in shadow and whether the rollback helped, with their verdicts', () => {
    const more =
      '  - { name: trial, judge: immediate, metric: violations, shadow: true, above: 2 }\n' +
      'levels: { notify: 1.5 }\n';
    const guards = GUARDS.replace('metric: violations }', 'metric: violations, above: 100 }');
    const story = new Story([CANARY], `${guards}${more}`).opened();
    for (let tries = 0; tries < 40 && story.count('RiskLevelReached') === 0; tries += 1)
      story.check({ requests: 20, errors: 1 });
    story.check({ violations: 3 }).person('RollBack').answered('RestoreFlag');
    const told = reportAfter(story.checks(6, { requests: 300 }));
    const what = told.timeline.map((line) => line.what).join('\n');
    expect(what).toMatch(/^risk notify: The risk score is/m);
    expect(what).toMatch(/^in shadow, would have rolled back: trial: /m);
    expect(what).toMatch(/^recovered: error-rate: /m);
    expect(told.evidence.map(({ stage, guard }) => [stage, guard])).toEqual([
      ['canary', 'trial'],
      ['after the rollback', 'error-rate'],
      ['after the rollback', 'invariant'],
    ]);
  });

  it('says which stage each verdict is about, and none where no stage was open', () => {
    const healthy = reportAfter(new Story([CANARY, ALL]).opened().checks(4));
    expect(healthy.evidence.map(({ stage }) => stage)).toEqual(['canary', 'canary']);
    const early = reportAfter(new Story([CANARY]).start().check().check({ violations: 1 }));
    expect(early.evidence).toMatchObject([{ stage: '', guard: 'invariant', outcome: 'breach' }]);
    expect(early.restoredMs).toBeNull();
  });

  it('gives the reason of an approval, and of a rollback that a person wanted', () => {
    const story = new Story(['{ approve: review }', CANARY]).start().held().check();
    story.tell(
      { type: 'ApproveRollout', data: { rollout: 'r-1', step: 'review', reason: 'looks good' } },
      'robin',
    );
    const told = reportAfter(story.person('RollBack').answered('RestoreFlag'));
    expect(markdownOf(told)).toContain('| approved: review | robin: looks good |');
    expect(told.timeline.map(({ what }) => what)).toContain(
      'review: approved by robin: looks good',
    );
    expect(told.summary).toBe('alex: because. The flag is as it was before.');
  });

  it('names who promoted, approved, paused and aborted', () => {
    const story = new Story(['{ approve: review }', CANARY, ALL]).start().held();
    story.approve('review').check().answered('SetExposure').person('PauseRollout');
    story.person('ResumeRollout').person('PromoteRollout', 'robin').person('AbortRollout');
    const told = reportAfter(story);
    const what = told.timeline.map((line) => line.what).join('\n');
    for (const sentence of [
      'review: waits for an approver',
      'review: approved by robin',
      'paused by alex: because',
      'canary: done, promoted by robin',
      'aborted by alex: because',
    ])
      expect(what).toContain(sentence);
    expect(told.approvals).toMatchObject([{ step: 'review', by: 'robin' }]);
  });

  it('lets nobody break its tables', () => {
    const story = new Story([CANARY]).opened();
    story.tell({ type: 'PauseRollout', data: { rollout: 'r-1', reason: 'a | b\n| c' } });
    expect(markdownOf(reportAfter(story))).toContain('paused by alex: a \\| b \\| c |');
  });
});
