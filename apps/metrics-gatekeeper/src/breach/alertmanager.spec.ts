import { describe, expect, it } from '@jest/globals';
import { ThresholdBreached } from '@tidegate/contracts';
import { type Alert, alertmanagerBody, breachOf } from './alertmanager-body.ts';

const alert: Alert = {
  status: 'firing',
  labels: { alertname: 'CheckoutErrors', environment: 'production', flag: 'checkout-v2' },
  annotations: { summary: '5 % of the orders fail', description: 'longer' },
  startsAt: 1_790_000_000_000,
  fingerprint: '2f9c1a',
};

describe('an alert', () => {
  it('is a breach, with its own start, fingerprint and labels', () => {
    const breach = breachOf(alert);
    expect(breach).toEqual({
      environment: 'production',
      labels: alert.labels,
      guard: 'CheckoutErrors',
      fingerprint: '2f9c1a',
      startsAt: 1_790_000_000_000,
      message: '5 % of the orders fail',
    });
    expect(ThresholdBreached.schema.parse(breach)).toEqual(breach);
  });

  it.each([
    [{ description: 'longer' }, 'longer'],
    [{ summary: '  ' }, 'CheckoutErrors is firing.'],
    [{ summary: 'x'.repeat(3_000) }, 'x'.repeat(2_000)],
  ])('says what its annotations %j say, else its name', (annotations, message) => {
    expect(breachOf({ ...alert, annotations })).toMatchObject({ message });
  });

  it.each<[string, Partial<Alert>, string]>([
    ['that Tidegate has sent', { labels: { ...alert.labels, tidegate: 'true' } }, 'own'],
    ['that is over', { status: 'resolved' }, 'resolved'],
    ['without an environment', { labels: { flag: 'a' } }, 'no-environment'],
    ['whose environment is none', { labels: { flag: 'a', environment: 'a b' } }, 'no-environment'],
    ['about everything', { labels: { environment: 'production' } }, 'about-nothing'],
  ])('%s is none, and says why', (_what, change, reason) => {
    expect(breachOf({ ...alert, ...change })).toMatchObject({ reason });
  });
});

describe('a body', () => {
  const body = (change: object) => ({
    version: '4',
    alerts: [{ ...alert, startsAt: '2026-11-21T09:10:43.068123456Z', ...change }],
  });

  it('is read as Alertmanager writes it, times to the millisecond', () => {
    expect(alertmanagerBody.parse({ ...body({}), receiver: 'tidegate' })).toMatchObject({
      truncatedAlerts: 0,
      alerts: [{ startsAt: Date.UTC(2026, 10, 21, 9, 10, 43, 68) }],
    });
  });

  it.each([
    ['another version', { ...body({}), version: '5' }],
    ['a time that is none', body({ startsAt: 'soon' })],
    ['a time of nobody', body({ startsAt: '0001-01-01T00:00:00Z' })],
    ['no fingerprint', body({ fingerprint: undefined })],
  ])('with %s is refused', (_what, wrong) => {
    expect(alertmanagerBody.safeParse(wrong).success).toBe(false);
  });
});
