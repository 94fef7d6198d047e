import { describe, expect, it } from '@jest/globals';
import { ALL, CANARY, type Found, Story } from './story.memory.ts';

const down: Found = { answer: 'down' };
const opened = () => new Story().opened().check();
/** How often somebody was called. */
const pages = ({ messages }: Story): number =>
  messages.filter(({ data }) => 'page' in data && data.page === true).length;

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
