import { describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { memoryTidegate } from '../testing/tidegate.memory.ts';
import { withHooks } from '../with-hooks.ts';
import { exposureMetrics, type ExposureMetricsOptions } from './exposure-metrics.prometheus.ts';
import { modeMetrics } from './mode-metrics.prometheus.ts';

function measured(options: ExposureMetricsOptions = {}) {
  const register = new Registry();
  const memory = memoryTidegate({ on: true, plan: 'pro' });
  const flags = withHooks(memory, { observers: [exposureMetrics({ register, ...options })] });
  const samples = async (name: string) =>
    (await register.metrics()).split('\n').filter((line) => line.startsWith(name));
  return { flags, memory, samples };
}

describe('exposure metrics', () => {
  it('count by flag, variant and reason, and go on from scrape to scrape', async () => {
    const { flags, samples } = measured();
    flags.boolean('on', false);
    flags.boolean('on', false);
    flags.string('unknown', '');
    const name = 'tidegate_flag_evaluations_total';
    expect(await samples(name)).toEqual([
      `${name}{flag="on",variant="set",reason="static"} 2`,
      `${name}{flag="other",variant="",reason="error"} 1`,
    ]);
    flags.boolean('on', false);
    expect(await samples(name)).toContain(`${name}{flag="on",variant="set",reason="static"} 3`);
  });

  it('have the prefix that was asked for, and no more flags than that', async () => {
    const { flags, samples } = measured({ prefix: 'shop_', mostFlags: 2 });
    for (const key of ['one', 'two', 'on', 'plan', 'on']) flags.details(key, undefined);
    const name = 'shop_flag_evaluations_total';
    expect(await samples(name)).toEqual([
      `${name}{flag="on",variant="set",reason="static"} 2`,
      `${name}{flag="plan",variant="set",reason="static"} 1`,
      `${name}{flag="other",variant="",reason="error"} 2`,
    ]);
  });

  it('are of bounded number, however many flags and variants there are', async () => {
    const register = new Registry();
    const { evaluated } = exposureMetrics({ register, mostFlags: 2 });
    const serve = (key: string, variant: string) => {
      evaluated?.(key, { value: 1, variant, reason: 'SPLIT', flagMetadata: {} }, undefined);
    };
    for (let n = 0; n < 1_000; n += 1) {
      serve('told-apart', `variant-${n}`);
      serve(`flag-${n}`, `variant-${n}`);
    }
    const lines = (await register.metrics()).split('\n').filter((line) => line.includes('{flag='));
    expect(lines).toHaveLength(100 + 1 + 1 + 1);
    expect(lines).toContainEqual(
      expect.stringMatching(/flag="told-apart",variant="other",.* 900$/),
    );
    expect(lines).toContainEqual(expect.stringMatching(/flag="other",variant="",.* 999$/));
  });

  it('tell the age of the flags and the state of the client', async () => {
    const { flags, samples } = measured();
    const [age] = await samples('tidegate_flags_age_seconds ');
    expect(Number(age?.split(' ')[1])).toBeGreaterThanOrEqual(0);
    expect(await samples('tidegate_client_state{state="ready"}')).toEqual([
      'tidegate_client_state{state="ready"} 1',
    ]);
    await flags.close();
    expect(await samples('tidegate_client_state')).toEqual([
      'tidegate_client_state{state="connecting"} 0',
      'tidegate_client_state{state="ready"} 0',
      'tidegate_client_state{state="stale"} 0',
      'tidegate_client_state{state="error"} 0',
      'tidegate_client_state{state="closed"} 1',
    ]);
  });
});

describe('metrics of a mode guard', () => {
  const judged = { mode: 'warn', outcome: 'violations', violations: 1, seconds: 0.001 } as const;
  const name = 'stage_validation_violations_total';

  it.each([
    [1, '1'],
    [2, '2-5'],
    [5, '2-5'],
    [6, '6-10'],
    [10, '6-10'],
    [11, '11+'],
    [5_000, '11+'],
  ])('put %d violations into the bucket %s', async (violations, bucket) => {
    const register = new Registry();
    modeMetrics({ register }).judged({ ...judged, endpoint: '/stages', violations });
    const line = `${name}{mode="warn",endpoint="/stages",bucket="${bucket}"} 1`;
    expect(await register.metrics()).toContain(line);
  });

  it('stand at 0 from the first request of an endpoint on, and tell only so many endpoints apart', async () => {
    const register = new Registry();
    const metrics = modeMetrics({ register, mostEndpoints: 2 });
    for (const endpoint of ['/a', '/b', '/c', '/d', '/a']) metrics.judged({ ...judged, endpoint });
    const text = await register.metrics();
    const requests = (endpoint: string, outcome: string) =>
      `stage_validation_requests_total{mode="warn",endpoint="${endpoint}",outcome="${outcome}"}`;
    expect(text).toContain(`${requests('/a', 'violations')} 2`);
    expect(text).toContain(`${requests('/a', 'validator-failed')} 0`);
    expect(text).toContain(`${requests('other', 'violations')} 2`);
    expect(text).toContain('stage_deprecation_headers_total{endpoint="/b"} 0');
    expect(text).not.toContain('"/c"');
  });
});
