import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { openServerIfAny, programIfAny } from '../servers/servers.ts';
import { run } from '../servers/tools.ts';
import {
  makeFlags,
  openHouse,
  type RolloutShown,
  rolloutUntil,
  type Standalone,
  startRollout,
} from './house.ts';
import { temporaryFolder } from './process.ts';
import { type Load, openShops, pastOf } from './shop.ts';

jest.setTimeout(120_000);

const OUTAGE = { failing: 0.04, slow: 0.05 };
const WORSE_OUTAGE = { failing: 0.3, slow: 0.05 };
const SLOW = { failing: 0.01, slow: 0.4 };

interface Story {
  /** What its shop meets once the first stage is open. */
  readonly meets?: Partial<Load>;
  /** It is well again as soon as it is rolled back. */
  readonly heals?: true;
  readonly hold?: string;
  /** Names in its plan, where they are wrong. */
  readonly failures?: string;
  readonly over?: string;
  readonly alert?: string;
}

/** Each has a flag, a plan and a shop of its own, so all are under way at the same time. */
const STORIES = {
  healthy: { hold: '3s' },
  outage: { hold: '3s', meets: { canary: OUTAGE, baseline: OUTAGE } },
  'worse-outage': { meets: { canary: WORSE_OUTAGE, baseline: WORSE_OUTAGE } },
  slow: { heals: true, meets: { canary: SLOW } },
  'stays-slow': { meets: { canary: SLOW, baseline: SLOW } },
  failing: { heals: true, meets: { canary: { failing: 0.15, slow: 0.05 } } },
  waiting: { heals: true, meets: { queue: 1_000 } },
  alarmed: { heals: true, meets: { broken: 1 } },
  jammed: { heals: true, meets: { jams: 50 } },
  'no-metric': { failures: 'request_failures_total' },
  'no-edge': { over: '700ms' },
  'no-rule': { alert: 'CheckoutBrokn' },
  'cut-off': { hold: '8s' },
} as const satisfies Readonly<Record<string, Story>>;
type Name = keyof typeof STORIES;
const names = Object.keys(STORIES) as readonly Name[];

const folder = temporaryFolder();
const shops = await openShops(names);
const rules = join(folder, 'checkout.rules.yml');
writeFileSync(
  rules,
  'groups: [{ name: checkout, rules: [{ alert: CheckoutBroken, expr: checkout_broken == 1 }] }]',
);
const promtool = programIfAny('promtool', 'on Debian, apt-get install prometheus');
if (promtool) rememberAnHourAgo(promtool);
const prometheus = await openServerIfAny('prometheus', {
  own: true,
  folder: join(folder, 'prometheus'),
  config: `
global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }
rule_files: ['${rules}']
scrape_configs: [{ job_name: shop, static_configs: [{ targets: ['${shops.address}'] }] }]
`,
});

/** The shops were healthy then, and Prometheus knows it. */
function rememberAnHourAgo(tool: string): void {
  const data = join(folder, 'prometheus/data');
  mkdirSync(data, { recursive: true });
  const until = Math.floor(Date.now() / 1_000) - 3_000;
  const file = join(folder, 'past.txt');
  writeFileSync(file, pastOf(names, until - 1_800, until, 15));
  run(tool, ['tsdb', 'create-blocks-from', 'openmetrics', '-q', file, data]);
}

const SOURCE = 'source: { prometheus: { scrapeInterval: 1s } }';
const NEW = 'canary: { where: { variant: new } }';

function planOf(name: Name): string {
  const { hold, failures, over, alert }: Story = STORIES[name];
  const where = (more = '') => `{ job: shop, shop: ${name}${more} }`;
  const latency = `type: latency, ${SOURCE}, histogram: { metric: latency_seconds, where: ${where()} }, ${NEW}`;
  return `
plan: ${name}
flag: ${name}
checkEvery: 1s
pageAfter: 2s
recovery: { within: 6s }
metrics:
  errors:
    type: ratio
    ${SOURCE}
    bad: { metric: ${failures ?? 'requests_total'}, where: ${where(", code: '500'")} }
    total: { metric: requests_total, where: ${where()} }
    ${NEW}
    baseline: { where: { variant: old } }
  latency: { ${latency}, over: ${over ?? '500ms'} }
  latency-before: { ${latency}, over: 500ms, baseline: { recorded: { ago: 1h, for: 10m } } }
  jams: { type: rate, ${SOURCE}, count: { metric: jams_total, where: ${where()} }, per: 1m }
  backlog: { type: value, ${SOURCE}, gauge: { metric: queue_length, where: ${where()} } }
  waiting: { type: promql, ${SOURCE}, query: 'max(queue_length{shop="${name}"})' }
  alarm: { type: alert, ${SOURCE}, alert: ${alert ?? 'CheckoutBroken'}, where: { shop: ${name} } }
guards:
  - { name: traffic, judge: split, metric: errors }
  - { name: errors, judge: sequential, metric: errors, limit: 5%, margin: 50%, detect: 10 }
  - { name: p95, judge: sequential, metric: latency, limit: 10%, detect: 40% }
  - { name: p95-before, judge: sequential, metric: latency-before, margin: 100%, gate: none }
  - { name: strict, judge: sequential, metric: latency, limit: 1%, shadow: true }
  - { name: jams, judge: sequential, metric: jams, limit: 60, gate: none }
  - { name: backlog, judge: sustained, metric: backlog, above: 100, for: 3s }
  - { name: waiting, judge: immediate, metric: waiting, above: 100000 }
  - { name: alarms, judge: immediate, metric: alarm }
steps:
  - { stage: canary, percentage: 10, hold: ${hold ?? '1h'} }
  - { stage: all, percentage: 100, hold: 2s }
  - { bake: watch-on, hold: 2s }
`;
}

/** Until then a rollout would hold for data that have not come yet. */
async function isEveryShopScraped(): Promise<boolean> {
  const query = 'count by (shop) (requests_total{variant="new"})';
  const answer = await fetch(`${prometheus?.url}/api/v1/query?query=${encodeURIComponent(query)}`);
  const { data } = (await answer.json()) as { data: { result: readonly unknown[] } };
  return data.result.length === names.length;
}

interface Shown extends RolloutShown {
  readonly wouldHaveBreached: readonly string[];
  readonly recovery?: { readonly status: string; readonly message?: string };
  readonly guards: readonly { guard: string; evidence: Readonly<Record<string, number>> }[];
}

let house: Standalone;
const ids = new Map<Name, string>();

/** Resolves once the rollout is so. */
const until = (name: Name, isSo: (rollout: Shown) => boolean): Promise<Shown> =>
  rolloutUntil(house, ids.get(name) ?? '', (each) => isSo(each as Shown), 60_000) as Promise<Shown>;

async function begin(name: Name): Promise<void> {
  ids.set(name, await startRollout(house, name, planOf(name)));
  await until(name, ({ phase, step }) => step === 'canary' && phase === 'open');
  const { meets, heals }: Story = STORIES[name];
  if (meets) shops.meets(name, meets);
  if (!heals) return;
  await until(name, isRolledBack);
  shops.meets(name, {});
}

const isCompleted = ({ status }: Shown) => status === 'completed';
const isRolledBack = ({ status }: Shown) => status === 'rolled-back';
const isJudged = ({ recovery }: Shown) => (recovery?.status ?? 'awaited') !== 'awaited';
const isPaged = ({ hold }: Shown) => hold?.paged === true;

(prometheus && promtool ? describe : describe.skip)(
  'a plan of every kind of metric on a real Prometheus',
  () => {
    beforeAll(async () => {
      await eventually(isEveryShopScraped, 30_000);
      house = await openHouse({ PROMETHEUS_URL: prometheus?.url ?? '' });
      await makeFlags(house, ...names);
      await Promise.all(names.filter((name) => name !== 'cut-off').map(begin));
    });
    afterAll(async () => {
      await house?.program.kill();
      await prometheus?.stop();
      await shops[Symbol.asyncDispose]();
    });

    it.each([
      ['slow', 'p95'],
      ['failing', 'errors'],
      ['waiting', 'backlog'],
      ['alarmed', 'alarms'],
      ['jammed', 'jams'],
    ] as const)(
      'rolls back what is %s, by its guard %s, and sees that it helped',
      async (name, guard) => {
        const { rollback } = await until(name, isRolledBack);
        expect(rollback?.message).toMatch(new RegExp(`^${guard}(-before)?: `));
        expect(await until(name, isJudged)).toMatchObject({ recovery: { status: 'recovered' } });
      },
    );

    it('sees that a rollback has not helped', async () => {
      const { recovery } = await until('stays-slow', isJudged);
      expect(recovery).toMatchObject({
        status: 'persisting',
        message: expect.stringContaining('p95: not good again since the rollback.'),
      });
    });

    it('holds and pages where both versions are over the limit', async () => {
      const { hold } = await until('worse-outage', isPaged);
      expect(hold).toMatchObject({ reason: 'both-arms-bad' });
    });

    it('promotes a healthy canary to the end of its bake, whatever a guard in shadow would do', async () => {
      const { wouldHaveBreached } = await until('healthy', isCompleted);
      expect(wouldHaveBreached).toContain('strict@canary');
    });

    it('promotes what fails no more than the old version in an outage of both', async () => {
      await until('outage', isCompleted);
    });

    it.each([
      ['no-metric', 'no target has a metric request_failures_total: either it is called'],
      ['no-edge', 'has no bucket with the edge 0.7; there are 0.5, +Inf (s).'],
      ['no-rule', 'has no alerting rule CheckoutBrokn.'],
    ] as const)('holds, pages and says what is wrong where there is %s', async (name, sentence) => {
      const { hold } = await until(name, isPaged);
      expect(hold).toMatchObject({ message: expect.stringContaining(sentence) });
    });

    it('holds and pages while Prometheus is dead, and goes on with what was counted', async () => {
      const counted = ({ guards }: Shown): number =>
        guards.find(({ guard }) => guard === 'p95')?.evidence['trials'] ?? 0;
      await begin('cut-off');
      await until('cut-off', (rollout) => counted(rollout) > 0);
      await prometheus?.kill();
      const dead = await until('cut-off', isPaged);
      expect(dead.hold).toMatchObject({ reason: 'query-error' });
      await prometheus?.restart();
      const back = await until('cut-off', ({ status }) => status === 'running');
      expect(counted(back)).toBeGreaterThanOrEqual(counted(dead));
      await until('cut-off', isCompleted);
    });
  },
);
