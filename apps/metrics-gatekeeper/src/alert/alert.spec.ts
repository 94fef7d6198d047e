import { describe, expect, it } from '@jest/globals';
import { ThresholdBreached } from '@tidegate/contracts';
import { exampleOf } from '@tidegate/contracts/testing';
import { type Alerts, failed, noAlerts, posted, raise, told } from './alert.ts';

const NOW = 1_790_000_000_000;
const MINUTE = 60_000;
const live = { isOver: false, everyMs: MINUTE };
const over = { isOver: true, everyMs: MINUTE };
const iso = (at: number): string => new Date(at).toISOString();

const breach = (guard = 'error-rate', at = NOW) =>
  exampleOf(
    ThresholdBreached,
    {
      guard,
      fingerprint: `r-42/${guard}`,
      startsAt: at,
      labels: { plan: 'open-checkout', flag: 'checkout-v2', stage: 'canary' },
    },
    { at },
  );
const raised = raise(noAlerts, breach(), NOW);

describe('a breach', () => {
  it('is an alert that says what it is about, whose it is, and for how long it stands', () => {
    expect(posted(raised, NOW + 10, live)).toEqual([
      {
        labels: {
          alertname: 'TidegateBreach',
          tidegate: 'true',
          severity: 'critical',
          environment: 'production',
          rollout: 'r-42',
          plan: 'open-checkout',
          flag: 'checkout-v2',
          stage: 'canary',
          guard: 'error-rate',
          reason: 'error-rate-too-high',
        },
        annotations: {
          summary: 'error-rate: 63 of 1 204 requests failed (5.2 %), limit 1 %.',
          description: 'error-rate of the rollout r-42 is in breach; the rollout is taken back.',
        },
        startsAt: iso(NOW),
        endsAt: iso(NOW + 10 + 5 * MINUTE),
      },
    ]);
  });

  it('is one alert, however often it comes; a second one is a second', () => {
    expect(raise(raised, breach(), NOW + 5)).toBe(raised);
    expect(raise(raised, breach('invariant'), NOW + 5)).toMatchObject({
      raised: [{}, { labels: { guard: 'invariant' } }],
      nextAt: NOW + 5,
    });
  });

  it('of long ago calls nobody', () => {
    expect(raise(noAlerts, breach(), NOW + 61 * MINUTE)).toBe(noAlerts);
  });
});

describe('an alert', () => {
  it('is told again and again until its rollout is over, then once as resolved', () => {
    const first = told(raised, NOW, live);
    expect(first.nextAt).toBe(NOW + MINUTE);
    expect(posted(first, NOW + MINUTE, over)).toMatchObject([{ endsAt: iso(NOW + MINUTE) }]);
    expect(told(first, NOW + MINUTE, over).nextAt).toBeNull();
  });

  it('is told as firing first, though its rollout is over by then: somebody should be called', () => {
    expect(posted(raised, NOW + 1, over)).toMatchObject([{ endsAt: iso(NOW + 1 + 5 * MINUTE) }]);
    expect(told(raised, NOW + 1, over).nextAt).toBe(NOW + 1 + MINUTE);
  });

  it('that cannot be told is tried ever more seldom, and given up when it is too old to matter', () => {
    let alerts: Alerts = raised;
    const waits: number[] = [];
    for (let tries = 0; tries < 7; tries += 1) {
      alerts = failed(alerts, NOW, true);
      waits.push(Number(alerts.nextAt) - NOW);
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
    expect(failed(alerts, NOW + 61 * MINUTE, true).nextAt).toBeNull();
    expect(failed(alerts, NOW + 61 * MINUTE, false).nextAt).not.toBeNull();
    expect(told(alerts, NOW, live).failures).toBe(0);
  });
});
