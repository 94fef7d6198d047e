import { describe, expect, it } from '@jest/globals';
import { bytesOf, encode, MAX_MESSAGE_BYTES, type Plan, RolloutHeld } from '@tidegate/contracts';
import type { Reading, Sample } from '@tidegate/metrics-source';
import { reassess } from './assess.ts';
import { pinRisk } from './risk.ts';
import { judgeStage } from './stage-verdict.ts';
import { checkStage, openStage, type StageEvidence } from './stage-evidence.ts';
import { planWith, START } from './watching.memory.ts';

/** As many guards as a plan may have, and as many addresses as all of them may read; one part of each is measured. */
const GUARDS = 30;
const READ = 400;
const SERIES = 500;
const addresses = (many: number) =>
  Array.from({ length: many }, (_, i) => `http://checkout-${i}.shop.svc:9090/metrics`);
const LABELS = 'namespace="shop",pod="checkout-7d9f8b6c5d-x2x7k",instance="10.0.12.34:9090"';
const MAX_DOCUMENT_BYTES = 8 * 1_048_576;

function seriesOf(many: number, part: string, at: number, seconds: number): Sample[] {
  return Array.from({ length: many }, (_, i) => {
    const labels = { variant: part, code: i === 0 ? '500' : '200', route: `/api/v1/orders/${i}` };
    const value = 1_000_003 + Math.floor(seconds * (1_000 + i) * (i === 0 ? 0.1 : 1));
    const series = `http_server_requests_total{${LABELS},variant="${part}",route="${labels.route}"}`;
    return { name: 'http_server_requests_total', labels, series, value, at };
  });
}

const reading = (target: string, series: number, seconds: number): Reading => {
  const at = START + seconds * 1_000;
  const samples = ['on', 'off'].flatMap((part) => seriesOf(series, part, at, seconds));
  const declared = ['http_server_requests_total'];
  return { outcome: 'taken', target, at, samples, declared };
};

interface Watched {
  readonly plan: Plan;
  readonly evidence: StageEvidence;
  readonly at: number;
}

/** Watched by such a guard: each check, at these seconds, reads all addresses. */
function watched(
  guard: object,
  { targets, series }: { readonly targets: readonly string[]; readonly series: number },
  checks: readonly number[],
): Watched {
  const counter = { metric: 'http_server_requests_total' };
  const plan = planWith({
    metrics: {
      errors: {
        type: 'ratio',
        source: { scrape: targets },
        bad: { ...counter, where: { code: '500' } },
        total: counter,
        canary: { where: { variant: 'on' } },
        ...('margin' in guard ? { baseline: { where: { variant: 'off' } } } : {}),
      },
    },
    guards: [{ name: 'error-rate-of-all-the-orders', metric: 'errors', ...guard }],
  });
  let evidence = openStage(plan, 'canary', START);
  let at = START;
  for (const seconds of checks) {
    at = START + seconds * 1_000;
    const readings = targets.map((target) => reading(target, series, seconds));
    evidence = checkStage(plan, evidence, readings, at);
  }
  return { plan, evidence, at };
}

/** Of the event that has the verdicts of all guards, and of what is known of the step by one. */
function bytes({ plan, evidence, at }: Watched): { message: number; document: number } {
  const [verdict] = judgeStage(plan, pinRisk(plan), evidence, at);
  if (!verdict) throw new Error('Nothing was judged.');
  expect(reassess(JSON.parse(JSON.stringify(verdict)) as typeof verdict)).toEqual(verdict);
  const verdicts = Array<typeof verdict>(GUARDS).fill(verdict);
  const data = { ...RolloutHeld.example, verdicts };
  const metadata = { id: 'h-1', source: 'metrics-gatekeeper', at, actor: 'a', correlationId: 'c' };
  const message = { type: RolloutHeld.type, key: data.rollout, data, metadata };
  return {
    message: bytesOf(encode(message)),
    document: new TextEncoder().encode(JSON.stringify(evidence)).length,
  };
}

describe('the largest plan that is accepted', () => {
  const every = (many: number, ms: number) => Array.from({ length: many }, (_, i) => i * ms);

  it('has verdicts of sustained guards that fit twice into a message', () => {
    const guard = { judge: 'sustained', above: '5%', for: '1h', step: '5s' };
    const one = { targets: addresses(1), series: 2 };
    // Not quite evenly, so that no two samples are the same.
    const checks = every(722, 5).map((seconds) => seconds + (seconds % 7) / 10);
    const { message } = bytes(watched(guard, one, checks));
    expect(message).toBeGreaterThan(200_000);
    expect(message).toBeLessThan(MAX_MESSAGE_BYTES / 2);
  });

  it('has verdicts of comparisons that fit twice into a message, also after three months', () => {
    const one = { targets: addresses(1), series: 3 };
    const guard = { judge: 'sequential', margin: '10%' };
    const { message } = bytes(watched(guard, one, every(160, 50_000)));
    expect(message).toBeGreaterThan(200_000);
    expect(message).toBeLessThan(MAX_MESSAGE_BYTES / 2);
  });

  it('has evidence that fits into a document, with as many series of as many addresses as are read', () => {
    const few = { targets: addresses(2), series: SERIES };
    const { evidence, plan, at } = watched({ judge: 'sequential', margin: '10%' }, few, [5, 10]);
    const [guard] = Object.values(evidence.guards);
    expect(guard?.missing).toBeNull();
    const { document } = bytes({ evidence, plan, at });
    const all = (document / (few.targets.length * 2)) * READ;
    expect(all).toBeGreaterThan(1_000_000);
    expect(all).toBeLessThan(MAX_DOCUMENT_BYTES * 0.75);
  });
});
