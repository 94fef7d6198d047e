import { describe, expect, it } from '@jest/globals';
import { CANARY, GUARDS, Story } from '../rollout/story.memory.ts';
import { isSettled } from './settled.ts';

const HOUR = 3_600_000;
const breached = () =>
  new Story([CANARY], `${GUARDS}recovery: { within: 5s }\n`)
    .opened()
    .check({ requests: 1_000, errors: 100 });
const settled = ({ state, now }: Story, afterMs = 0) => isSettled(state, now + afterMs);

describe('a breach is told as resolved', () => {
  it('once the rollback is done and the metrics are good again', () => {
    const rolledBack = breached().answered('RestoreFlag');
    expect(settled(rolledBack)).toBe(false);
    expect(settled(rolledBack.checks(10, { requests: 300 }))).toBe(true);
  });

  it.each([
    ['was refused', (story: Story) => story.answered('RestoreFlag', 'FLAG_UNKNOWN')],
    ['was not answered', (story: Story) => story.checks(20)],
  ])('not while the rollback is incomplete, as it %s; a person ends that', (_why, fails) => {
    const failed = fails(breached());
    expect(failed.state.status).toBe('failed');
    expect(settled(failed, 100 * HOUR)).toBe(false);
    expect(settled(failed.person('AbortRollout'))).toBe(true);
  });

  it('not while the metrics stay bad, for some hours', () => {
    const bad = breached().answered('RestoreFlag').checks(30, { errors: 50 });
    expect(bad.state).toMatchObject({ recovery: { status: 'persisting' } });
    expect(settled(bad, 3 * HOUR)).toBe(false);
    expect(settled(bad, 5 * HOUR)).toBe(true);
  });
});
