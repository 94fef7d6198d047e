import { describe, expect, it } from '@jest/globals';
import { noRecent, recentAt, withRecent } from './recent.ts';

describe('counts of the newest time alone', () => {
  const MINUTE = 60_000;
  const HOUR = 60 * MINUTE;
  const counted = withRecent(noRecent(MINUTE, 15_000), HOUR - 5_000, HOUR, 7);

  it('are forgotten when it is over', () => {
    expect(recentAt(counted, HOUR)).toBe(7);
    expect(recentAt(counted, HOUR + 2 * MINUTE)).toBe(0);
  });

  it('may be a little ahead, as the clock of whoever has counted them', () => {
    expect(recentAt(counted, HOUR - 3_000)).toBe(7);
  });

  it('are forgotten once the clock was set back, and do not come again when it gets there', () => {
    expect(recentAt(counted, 10 * MINUTE)).toBe(0);
    const quiet = withRecent(counted, 10 * MINUTE, 11 * MINUTE, 0);
    expect(recentAt(quiet, HOUR)).toBe(0);
    expect(recentAt(withRecent(counted, 10 * MINUTE, 11 * MINUTE, 2), 11 * MINUTE)).toBe(2);
  });
});
