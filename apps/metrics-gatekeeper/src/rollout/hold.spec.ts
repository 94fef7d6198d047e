import { describe, expect, it } from '@jest/globals';
import { ALL, CANARY, type Found, Story } from './story.memory.ts';

const down: Found = { answer: 'down' };
const opened = () => new Story().opened().check();
/** How often somebody was called. */
const pages = ({ messages }: Story): number =>
  messages.filter(({ data }) => 'page' in data && data.page).length;

describe('data that are missing now in one way and now in another', () => {
  it('page once, and are told each time that the way changes', () => {
    const flapping = opened();
    for (let minutes = 0; minutes < 25; minutes += 1) flapping.check(down).check({ answer: 'nan' });
    expect(pages(flapping)).toBe(1);
    expect(flapping.newest('RolloutHeld')).toMatchObject({ reason: 'nan', page: false });
    expect(flapping.state).toMatchObject({ status: 'holding', hold: { paged: true } });
  });

  it('page again once they have been there meanwhile', () => {
    expect(pages(opened().checks(20, down).checks(2).checks(20, { answer: 'nan' }))).toBe(2);
  });
});

describe('a baseline without any request', () => {
  it('pages as a canary without any does', () => {
    const guards =
      'guards:\n  - { name: compared, judge: sequential, metric: compared, margin: 50% }\n';
    const nobody: Found = { baseline: { requests: 0, errors: 0 } };
    const story = new Story([CANARY, ALL], guards).start().held();
    const alone = story.check(nobody).answered('SetExposure').checks(30, nobody);
    expect(alone.newest('RolloutHeld')).toMatchObject({
      reason: 'no-baseline-requests',
      page: true,
    });
    expect(pages(alone)).toBe(1);
  });
});

describe('a paused rollout whose stage is open', () => {
  const paused = () => opened().person('PauseRollout');

  it('pages once when data stay away, and again only when they have come meanwhile', () => {
    const unseen = paused().checks(60, down);
    expect(unseen.newest('RolloutHeld')).toMatchObject({ reason: 'query-error', page: true });
    expect(pages(unseen.checks(60, { answer: 'nan' }))).toBe(1);
    expect(pages(unseen.check().checks(9, down))).toBe(1);
    expect(pages(unseen.checks(60, down))).toBe(2);
    expect(unseen.state.status).toBe('paused');
  });

  it('pages once for an outage that both versions have', () => {
    const guards =
      'guards:\n  - { name: compared, judge: sequential, metric: compared, limit: 1%, margin: 50% }\n';
    const outage: Found = { requests: 100, errors: 30, baseline: { requests: 900, errors: 270 } };
    const story = new Story([CANARY, ALL], guards).start().held().check().answered('SetExposure');
    const wrong = story.person('PauseRollout').checks(20, outage);
    expect(wrong.newest('RolloutHeld')).toMatchObject({ reason: 'both-arms-bad', page: true });
    expect(pages(wrong)).toBe(1);
  });

  it('does not page for what a person had been called for when they paused it', () => {
    const known = opened().checks(20, down).person('PauseRollout').checks(60, down);
    expect(pages(known)).toBe(1);
  });

  it('does not page while nothing is exposed', () => {
    const early = new Story([CANARY], undefined).start().person('PauseRollout').held();
    expect(pages(early.checks(60, down))).toBe(0);
  });
});
