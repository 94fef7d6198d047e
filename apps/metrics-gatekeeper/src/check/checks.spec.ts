import { describe, expect, it } from '@jest/globals';
import {
  AbortRollout,
  type Message,
  type OutgoingMessage,
  PauseRollout,
  ResumeRollout,
  StartRollout,
} from '@tidegate/contracts';
import { exampleOf } from '@tidegate/contracts/testing';
import { AppError, isRejection } from '@tidegate/kernel';
import { manualClock, sequentialIds } from '@tidegate/kernel/testing';
import { factsOf } from '@tidegate/gates';
import type { MetricsSource } from '@tidegate/metrics-source';
import { recordedSource } from '@tidegate/metrics-source/testing';
import { createExecute, createOutbox, noFaults } from '@tidegate/store';
import { memoryStore } from '@tidegate/store/testing';
import { createGatekeeper } from '../gatekeeper.handler.ts';
import { CANARY, before } from '../rollout/story.memory.ts';
import { type Checks, CLAIM_MS } from './checks.handler.ts';
import type { StoredCheck } from './stored-check.ts';

const TARGET = 'http://127.0.0.1:9/metrics';
const PLAN = `
plan: open-checkout
flag: checkout-v2
checkEvery: 1s
metrics:
  errors:
    type: ratio
    source: { scrape: ['${TARGET}'] }
    bad: { metric: requests_total, where: { status: error } }
    total: { metric: requests_total }
guards:
  - { name: error-rate, judge: sequential, metric: errors, limit: 1%, detect: 8% }
steps:
  - ${CANARY}
`;

/** Everything of the service but its edges, on a clock that stands still. */
async function house(other: { source?: MetricsSource; plan?: string } = {}) {
  const clock = manualClock(1_000_000);
  const store = memoryStore({ clock });
  const ids = sequentialIds('m');
  const published: OutgoingMessage[] = [];
  const outbox = createOutbox({
    publish: async (messages) => void published.push(...messages),
    faults: noFaults,
  });
  const execute = createExecute({ outbox, ids, clock, source: 'gate', faults: noFaults });
  const recorded = recordedSource();
  recorded.record(
    TARGET,
    0,
    (at) => `requests_total{status="ok"} ${at / 10}\nrequests_total{status="error"} 0\n`,
  );
  const failures: unknown[] = [];
  const due: number[] = [];
  const over: string[] = [];
  const gatekeeper = () =>
    createGatekeeper({
      execute,
      store,
      clock,
      ids,
      name: 'gate',
      source: other.source ?? recorded,
      onDue: (at) => due.push(at),
      onOver: (rollout) => over.push(rollout),
      onFailed: (_rollout, error) => failures.push(error),
    });
  const one = gatekeeper();
  const put = await one.plans.put('open-checkout', other.plan ?? PLAN, {
    source: 'spec',
    actor: 'alex',
  });
  if (isRejection(put)) throw new Error(put.message);
  const round = async (which = one): Promise<number> => {
    const begun = await which.checks.runDue();
    await Promise.all(begun);
    return begun.length;
  };
  const start = (id: string) => {
    const about = { rollout: id, plan: 'open-checkout', environment: 'production' };
    const at = clock.now();
    const command = exampleOf(StartRollout, about, { id: `s-${id}`, at });
    return one.rollouts.start(command);
  };
  /** What flag-service says to the newest command of the type. */
  const say = (id: string, type: string, data: object): Promise<void> => {
    const full = {
      environment: 'production',
      key: 'checkout-v2',
      rollout: { id, generation: 1 },
      ...data,
    };
    const metadata = { id: ids.next(), source: 'flags', at: 0, actor: 'flags', correlationId: id };
    const message: Message = { type, key: '', data: full, metadata };
    return one.rollouts.observe(message as Parameters<typeof one.rollouts.observe>[0]);
  };
  const open = async (id: string): Promise<void> => {
    await start(id);
    await say(id, 'FlagHeld', { definition: before, disabled: false });
    await round();
    const sent = published.findLast(({ type }) => type === 'SetExposure');
    const command = { id: sent?.metadata.id, source: 'gate', type: 'SetExposure' };
    await say(id, 'FlagCommandAnswered', { command, outcome: 'changed', version: 1 });
  };
  const status = async (id: string) => (await one.rollouts.documents.load(id))?.state.status;
  const next = async (id: string) => (await one.checks.documents.load(id))?.state.nextCheckAt;
  return {
    clock,
    store,
    one,
    gatekeeper,
    published,
    failures,
    due,
    over,
    round,
    start,
    say,
    open,
    status,
    next,
  };
}

describe('the checks of a rollout', () => {
  it('are arranged before it begins, and follow its plan to the end', async () => {
    const { clock, open, round, status, next, published } = await house();
    await open('r-1');
    for (let second = 0; second < 4; second += 1) {
      expect(await next('r-1')).toBe(clock.now() + 1_000);
      expect(await round()).toBe(0);
      clock.advance(1_000);
      expect(await round()).toBe(1);
    }
    expect(await status('r-1')).toBe('completed');
    clock.advance(1_000);
    await round();
    expect(await next('r-1')).toBe(null);
    expect(published.filter(({ type }) => type === 'RolloutCompleted')).toHaveLength(1);
  });

  it('publish nothing and leave the rollout alone while nothing is decided', async () => {
    const { clock, open, round, one, published } = await house();
    await open('r-1');
    const document = await one.rollouts.documents.load('r-1');
    const told = published.length;
    clock.advance(1_000);
    await round();
    expect(await one.rollouts.documents.load('r-1')).toEqual(document);
    expect(published).toHaveLength(told);
  });

  it('are shared: of two instances one does each', async () => {
    const { clock, open, round, gatekeeper, one } = await house();
    const two = gatekeeper();
    for (const id of ['r-1', 'r-2', 'r-3']) await open(id);
    clock.advance(1_000);
    const [here, there] = await Promise.all([one.checks.runDue(), two.checks.runDue()]);
    expect(here.length + there.length).toBe(3);
    await Promise.all([...here, ...there]);
    expect(await round(two)).toBe(0);
  });

  it('are done by another one when an instance dies in the middle', async () => {
    const { clock, open, one, gatekeeper, round, status } = await house();
    await open('r-1');
    clock.advance(1_000);
    await one.checks.documents.claimDue(clock.now(), CLAIM_MS, 10);
    const two = gatekeeper();
    expect(await round(two)).toBe(0);
    clock.advance(CLAIM_MS);
    expect(await round(two)).toBe(1);
    expect(await status('r-1')).toBe('running');
  });

  it('are found and begun again where a start did not come to arrange them', async () => {
    const { clock, open, one, store, round, next } = await house();
    await open('r-1');
    const checks = store.documents<StoredCheck>({
      name: 'rollout-checks',
      schemaVersion: 1,
      index: () => ({}),
    });
    const lost = await checks.load('r-1');
    if (!lost) throw new Error('there was no check');
    const state = { ...lost.state, nextCheckAt: null };
    await one.checks.documents.save('r-1', { state, version: 9, outbox: [] }, lost.token);
    clock.advance(5_000);
    expect(await round()).toBe(0);
    await one.checks.reconcile();
    expect(await round()).toBe(1);
    expect(await next('r-1')).toBe(clock.now() + 1_000);
  });

  it('wait a while for a rollout that is still to begin, then no longer', async () => {
    const { clock, one, round, next, failures } = await house();
    await one.checks.arrange('r-never');
    await round();
    expect(await next('r-never')).toBe(clock.now() + 1_000);
    clock.advance(60_000);
    await round();
    expect(await next('r-never')).toBe(null);
    expect(failures).toEqual([]);
  });

  it('of others go on while a target of one keeps it waiting', async () => {
    let answer: () => void = () => undefined;
    const hanging = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const recorded = recordedSource();
    recorded.record(TARGET, 0, (at) => `requests_total{status="ok"} ${at}\n`);
    let reads = 0;
    const slowOnce: MetricsSource = {
      read: async (requests, at) => {
        reads += 1;
        if (reads === 1) await hanging;
        return recorded.read(requests, at);
      },
    };
    const { start, say, one, status, published } = await house({ source: slowOnce });
    await start('r-slow');
    const [slow] = await one.checks.runDue();
    await start('r-2');
    await say('r-2', 'FlagHeld', { definition: before, disabled: false });
    await Promise.all(await one.checks.runDue());
    expect(published.filter(({ type }) => type === 'SetExposure')).toHaveLength(1);
    answer();
    await slow;
    expect(await status('r-slow')).toBe('pending');
  });

  it('count no time in which the rollout was paused, though the pause began and ended while they read', async () => {
    const recorded = recordedSource();
    recorded.record(TARGET, 0, (at) => `requests_total{status="ok"} ${at}\n`);
    let meanwhile = async (): Promise<void> => undefined;
    const slow: MetricsSource = {
      read: async (requests) => {
        await meanwhile();
        return recorded.read(requests, clock.now());
      },
    };
    const { clock, open, round, one, status } = await house({ source: slow });
    const about = { rollout: 'r-1', reason: 'lunch' };
    const change = (command: typeof PauseRollout | typeof ResumeRollout) =>
      one.rollouts.change(exampleOf(command, about, { id: command.type, at: clock.now() }));
    const afterASecond = async () => {
      clock.advance(1_000);
      await round();
      return status('r-1');
    };
    await open('r-1');
    await afterASecond();
    meanwhile = async () => {
      clock.advance(500);
      await change(PauseRollout);
      await change(ResumeRollout);
      clock.advance(500);
    };
    await afterASecond();
    meanwhile = async () => undefined;
    expect(await afterASecond()).toBe('running');
    expect(await afterASecond()).toBe('running');
    expect(await afterASecond()).toBe('completed');
  });

  it('of what has ended meanwhile say so: nobody is told that it is under way still', async () => {
    const { clock, open, one, round, over, status } = await house();
    await open('r-1');
    const about = { rollout: 'r-1', reason: 'enough' };
    const command = exampleOf(AbortRollout, about, { id: 'a-1', at: clock.now() });
    await one.rollouts.change(command);
    expect(await status('r-1')).toBe('aborted');
    clock.advance(1_000);
    await round();
    expect(over).toEqual(['r-1']);
  });

  it('that fail are told, hold nothing up, and are done again after the claim', async () => {
    let broken = true;
    const recorded = recordedSource();
    const sometimes: MetricsSource = {
      read: (requests, at) =>
        broken ? Promise.reject(new AppError('SPEC', 'no')) : recorded.read(requests, at),
    };
    const { clock, start, round, failures, due, next } = await house({ source: sometimes });
    await start('r-1');
    await round();
    expect(failures).toHaveLength(1);
    expect(due.at(-1)).toBe(clock.now() + CLAIM_MS);
    broken = false;
    clock.advance(CLAIM_MS);
    await round();
    expect(await next('r-1')).toBe(clock.now() + 1_000);
  });
});

/** What a guard has counted since its step began. */
async function countedBy(checks: Checks, id: string, guard: string) {
  const evidence = (await checks.documents.load(id))?.state.evidence?.guards[guard];
  return evidence && factsOf(evidence, 0).since?.[0];
}

it('a target that fails is asked again at the next interval, and not before', async () => {
  const asked: number[] = [];
  const recorded = recordedSource();
  const source: MetricsSource = {
    read: (requests, at) => {
      asked.push(at);
      return recorded.read(requests, at);
    },
  };
  const { clock, start, round, next } = await house({ source });
  await start('r-1');
  const begun = clock.now();
  for (let ms = 0; ms <= 3_000; ms += 250) {
    await round();
    clock.advance(250);
  }
  expect(asked).toEqual([0, 1_000, 2_000, 3_000].map((ms) => begun + ms));
  expect(await next('r-1')).toBe(begun + 4_000);
});

it('instances that take turns count what one alone would', async () => {
  const { clock, open, round, gatekeeper, one } = await house();
  const two = gatekeeper();
  await open('r-1');
  for (const which of [one, two, one]) {
    clock.advance(1_000);
    await round(which);
  }
  expect(await countedBy(two.checks, 'r-1', 'error-rate')).toEqual({
    start: 0,
    bad: 0,
    total: 300,
  });
});

describe('a check of a plan that listens to signals', () => {
  const plan = PLAN.replace(
    'guards:',
    '  lost: { type: signal, signal: data-loss }\nguards:',
  ).replace('steps:', '  - { name: loss, judge: immediate, metric: lost, above: 5 }\nsteps:');

  it('is due at once when one comes, and not again within a fifth of a second', async () => {
    const { clock, open, round, one, next, due } = await house({ plan });
    await open('r-1');
    clock.advance(300);
    await one.checks.hasten('production');
    expect([await next('r-1'), due.at(-1)]).toEqual([clock.now(), clock.now()]);
    expect(await round()).toBe(1);
    await one.checks.hasten('production');
    expect(await next('r-1')).toBe(clock.now() + 200);
  });

  it('comes no sooner for signals of elsewhere, nor where the plan does not listen', async () => {
    const listening = await house({ plan });
    await listening.open('r-1');
    await listening.one.checks.hasten('staging');
    const deaf = await house();
    await deaf.open('r-1');
    await deaf.one.checks.hasten('production');
    for (const { next, clock } of [listening, deaf])
      expect(await next('r-1')).toBe(clock.now() + 1_000);
  });

  it('is done once more when one comes while it reads, and has counted what it read', async () => {
    let meanwhile = async (): Promise<void> => undefined;
    const recorded = recordedSource();
    recorded.record(TARGET, 0, (at) => `requests_total{status="ok"} ${at / 10}\n`);
    const slow: MetricsSource = {
      read: async (requests, at) => {
        await meanwhile();
        return recorded.read(requests, at);
      },
    };
    const { clock, open, round, one, next } = await house({ plan, source: slow });
    await open('r-1');
    clock.advance(1_000);
    meanwhile = () => {
      clock.advance(250);
      return one.checks.hasten('production');
    };
    await round();
    meanwhile = async () => undefined;
    expect(await countedBy(one.checks, 'r-1', 'error-rate')).toMatchObject({ total: 100 });
    expect(await next('r-1')).toBe(clock.now());
    expect(await round()).toBe(1);
  });
});

it('what was recorded before is read at past instants, once, before anything opens', async () => {
  const plan = PLAN.replace(`scrape: ['${TARGET}']`, 'prometheus: {}')
    .replace(
      'total: { metric: requests_total }',
      'total: { metric: requests_total }\n    baseline: { recorded: { for: 10m } }',
    )
    .replace('limit: 1%, detect: 8%', 'margin: 50%');
  const asked: number[] = [];
  const recorded = recordedSource();
  recorded.record('prometheus', 0, (at) => `requests_total{status="ok"} ${at / 10}\n`);
  const source: MetricsSource = {
    read: (requests, at) => {
      asked.push(at);
      return recorded.read(requests, at);
    },
  };
  const { clock, open, round, one } = await house({ plan, source });
  const startedAt = clock.now();
  await open('r-1');
  const past = asked.filter((at) => at < startedAt);
  expect([past.length, Math.min(...past)]).toEqual([40, startedAt - 600_000]);
  clock.advance(1_000);
  await round();
  const { state } = (await one.checks.documents.load('r-1')) ?? {};
  expect(state?.evidence?.guards['error-rate']?.recorded).toEqual({ bad: 0, total: 60_000 });
  expect(asked.filter((at) => at < startedAt)).toHaveLength(40);
});

it('keeps the interval when checks come late, and does not make up for those that were missed', async () => {
  const { clock, open, round, next } = await house();
  await open('r-1');
  const dueAt = (await next('r-1')) ?? 0;
  clock.advance(1_250);
  await round();
  expect(await next('r-1')).toBe(dueAt + 1_000);
  clock.advance(60_000);
  await round();
  expect(await next('r-1')).toBe(clock.now() + 1_000);
});
