import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { openServerIfAny } from '../servers/servers.ts';
import {
  makeFlags,
  openHouse,
  type RolloutShown,
  rolloutUntil,
  type Standalone,
  startRollout,
} from './house.ts';
import { temporaryFolder } from './process.ts';

jest.setTimeout(120_000);

const HEALTHY = { failing: 0.01, slow: 0.05 };
/** What each tenth request, that of the new version, and each other one meets; how many wait; whether an alert is on. */
const load = { canary: HEALTHY, baseline: HEALTHY, queue: 3, broken: 0 };

/** Both versions of an application behind one address: each scrape finds 1 000 more requests. */
async function application() {
  const counted = { new: { all: 0, failed: 0, slow: 0 }, old: { all: 0, failed: 0, slow: 0 } };
  const serve = (variant: 'new' | 'old', requests: number, of: typeof HEALTHY): string => {
    const so = counted[variant];
    so.all += requests;
    so.failed += Math.round(requests * of.failing);
    so.slow += Math.round(requests * of.slow);
    return `requests_total{variant="${variant}",code="200"} ${so.all - so.failed}
requests_total{variant="${variant}",code="500"} ${so.failed}
latency_seconds_bucket{variant="${variant}",le="0.5"} ${so.all - so.slow}
latency_seconds_bucket{variant="${variant}",le="+Inf"} ${so.all}
latency_seconds_count{variant="${variant}"} ${so.all}
`;
  };
  const server = createServer((_request, response) => {
    const text = `${serve('new', 100, load.canary)}${serve('old', 900, load.baseline)}
queue_length ${load.queue}
checkout_broken ${load.broken}
`;
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(text);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

const app = await application();
const rules = join(temporaryFolder(), 'checkout.rules.yml');
writeFileSync(
  rules,
  'groups: [{ name: checkout, rules: [{ alert: CheckoutBroken, expr: checkout_broken == 1 }] }]',
);
const prometheus = await openServerIfAny('prometheus', {
  own: true,
  config: `
global: { scrape_interval: 100ms, scrape_timeout: 100ms, evaluation_interval: 100ms }
rule_files: ['${rules}']
scrape_configs: [{ job_name: shop, static_configs: [{ targets: ['${app.address}'] }] }]
`,
});

const SOURCE = 'source: { prometheus: { scrapeInterval: 300ms } }';
const NEW = 'canary: { where: { variant: new } }';
const planOf = (name: string, hold: string): string => `
plan: ${name}
flag: ${name}
checkEvery: 300ms
pageAfter: 30s
metrics:
  errors:
    type: ratio
    ${SOURCE}
    bad: { metric: requests_total, where: { job: shop, code: '500' } }
    total: { metric: requests_total, where: { job: shop } }
    ${NEW}
    baseline: { where: { variant: old } }
  latency:
    type: latency
    ${SOURCE}
    histogram: { metric: latency_seconds, where: { job: shop } }
    over: 500ms
    ${NEW}
    baseline: { recorded: { for: 1m } }
  waiting: { type: promql, ${SOURCE}, query: 'max(queue_length{job="shop"})' }
  alarm: { type: alert, ${SOURCE}, alert: CheckoutBroken }
guards:
  - { name: traffic, judge: split, metric: errors }
  - { name: error-rate, judge: sequential, metric: errors, limit: 5%, detect: 20% }
  - { name: worse, judge: sequential, metric: errors, margin: 50%, gate: none }
  - { name: p95, judge: sequential, metric: latency, margin: 50%, gate: none }
  - { name: backlog, judge: sustained, metric: waiting, above: 100, for: 1s }
  - { name: alarms, judge: immediate, metric: alarm }
steps:
  - { stage: canary, percentage: 10, hold: ${hold} }
  - { stage: all, percentage: 100, hold: 1s }
`;

/** A recorded baseline needs a past. */
const hasPast = (url: string): Promise<boolean> =>
  eventually(async () => {
    const query = 'min(count_over_time(latency_seconds_bucket[1m]))';
    const asked = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query }).toString()}`);
    const { data } = (await asked.json()) as { data: { result: { value: [number, string] }[] } };
    return Number(data.result[0]?.value[1] ?? 0) > 30;
  }, 20_000);

let house: Standalone;
beforeAll(async () => {
  if (!prometheus) return;
  house = await openHouse({ PROMETHEUS_URL: prometheus.url });
  await makeFlags(house, ...PLANS);
  await hasPast(prometheus.url);
});
afterAll(async () => {
  await house?.program.kill();
  await prometheus?.stop();
  app.close();
});
beforeEach(() => {
  Object.assign(load, { canary: HEALTHY, baseline: HEALTHY, queue: 3, broken: 0 });
});

const PLANS = ['healthy', 'shared-outage', 'slow', 'failing', 'waiting', 'alarmed', 'cut-off'];

async function begin(name: string, hold: string) {
  const id = await startRollout(house, name, planOf(name, hold));
  return (isSo: (rollout: RolloutShown) => boolean) => rolloutUntil(house, id, isSo, 30_000);
}
const isOpen = ({ phase, step }: RolloutShown) => step === 'canary' && phase === 'open';
const isCompleted = ({ status }: RolloutShown) => status === 'completed';

(prometheus ? describe : describe.skip)(
  'a plan of every kind of metric on a real Prometheus',
  () => {
    it('promotes a healthy canary, to those for whom there is nobody left to compare with', async () => {
      const until = await begin('healthy', '2s');
      await until(isCompleted);
    });

    it('promotes a canary that fails no more than the old version in an outage of both', async () => {
      const until = await begin('shared-outage', '2s');
      await until(isOpen);
      const outage = { failing: 0.04, slow: 0.05 };
      Object.assign(load, { canary: outage, baseline: outage });
      await until(isCompleted);
    });

    it.each([
      ['slow', 'p95', { canary: { failing: 0.01, slow: 0.3 } }],
      ['failing', 'worse', { canary: { failing: 0.04, slow: 0.05 } }],
      ['waiting', 'backlog', { queue: 1_000 }],
      ['alarmed', 'alarms', { broken: 1 }],
    ] as const)('rolls back a canary that is %s, by its guard %s', async (name, guard, broken) => {
      const until = await begin(name, '1h');
      await until(isOpen);
      Object.assign(load, broken);
      const { rollback } = await until(({ status }) => status === 'rolled-back');
      expect(rollback?.message).toMatch(new RegExp(`^${guard}: `));
    });

    it('holds while Prometheus is dead, and goes on from where it was when it is back', async () => {
      const until = await begin('cut-off', '3s');
      await until(isOpen);
      await prometheus?.kill();
      const { hold } = await until(({ status }) => status === 'holding');
      expect(hold?.reason).toBe('query-error');
      await prometheus?.restart();
      await until(isCompleted);
    });
  },
);
