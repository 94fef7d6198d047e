import { describe, expect, it } from '@jest/globals';
import type { Reading, Sample } from '@tidegate/metrics-source';
import { pinRisk } from './risk.ts';
import { judgeStage } from './stage-verdict.ts';
import { START, Watching } from './watching.memory.ts';

const fields = {
  metrics: {
    errors: {
      type: 'ratio',
      source: { prometheus: { scrapeInterval: '15s' } },
      bad: { metric: 'requests_total', where: { code: '500' } },
      total: { metric: 'requests_total' },
      canary: { where: { variant: 'new' } },
      baseline: { where: { variant: 'old' } },
    },
  },
  guards: [
    { name: 'worse', judge: 'sequential', metric: 'errors', margin: '10%' },
    { name: 'split', judge: 'split', metric: 'errors' },
  ],
};

/** The canary has a tenth of 1 000 requests a second; its pod is scraped at 0, 15 …, the baseline's at 7, 22 …. */
const readingAt = (now: number, canaryRate: number): Reading => {
  const arm = (variant: string, offset: number, perSecond: number, rate: number): Sample[] => {
    const last = Math.floor((now - offset) / 15) * 15 + offset;
    return [['200', 1 - rate] as const, ['500', rate] as const].map(([code, share]) => ({
      name: 'requests_total',
      labels: { variant, code },
      series: `requests_total{code="${code}",variant="${variant}"}`,
      value: Math.round((last + 100) * perSecond * share),
      at: START + last * 1_000,
    }));
  };
  const samples = [...arm('new', 0, 100, canaryRate), ...arm('old', 7, 900, 0.001)];
  const at = Math.max(...samples.map((each) => each.at));
  return { outcome: 'taken', target: 'prometheus', at, samples, declared: ['requests_total'] };
};

const verdictsOf = (canaryRate: number) => {
  const watching = new Watching(fields);
  for (let now = 0; now <= 300; now += 5)
    watching.tell([readingAt(now, canaryRate)], START + now * 1_000);
  const { plan, evidence } = watching;
  const verdicts = judgeStage(plan, pinRisk(plan), evidence, START + 300_000);
  return Object.fromEntries(
    verdicts.map(({ guard, outcome, reason }) => [guard, [outcome, reason]]),
  );
};

describe('arms that a Prometheus scrapes at different moments, checked more often than that', () => {
  it('show a canary that is twenty times as bad', () => {
    expect(verdictsOf(0.02)).toMatchObject({ worse: ['breach', 'worse-than-baseline'] });
  });

  it('show one that is as good, and a right split, as what they are', () => {
    const verdicts = verdictsOf(0.001);
    expect(verdicts['worse']?.[0]).not.toBe('breach');
    expect(verdicts['split']).toEqual(['pass', expect.anything()]);
  });
});
