import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { makeFlags, openHouse, rolloutUntil, type Standalone, startRollout } from './house.ts';
import { openReceiver, type Receiver } from './receiver.ts';
import { freePort } from '../servers/process.ts';
import { openTarget, type Target } from './target.ts';

jest.setTimeout(60_000);

/** Two stages, short holds; pages when it has been blind for two seconds. */
const plan = (name: string, flag: string, scrape: string, metric = 'requests_total') => `
plan: ${name}
flag: ${flag}
checkEvery: 200ms
pageAfter: 2s
metrics:
  errors:
    type: ratio
    source: { scrape: ['${scrape}'] }
    bad: { metric: ${metric}, where: { status: '500' } }
    total: { metric: ${metric} }
guards:
  - { name: error-rate, judge: sequential, metric: errors, limit: 5%, detect: 30% }
steps:
  - { stage: canary, percentage: 10, hold: 400ms }
  - { stage: everyone, percentage: 100, hold: 400ms }
`;

let house: Standalone;
let receiver: Receiver;
const targets: Target[] = [];

beforeAll(async () => {
  receiver = await openReceiver();
  house = await openHouse(receiver.environment);
  await makeFlags(house, 'misspelt', 'silent', 'garbled', 'dying', 'misplaced');
});
afterEach(async () => {
  for (const target of targets.splice(0)) await target[Symbol.asyncDispose]();
});
afterAll(async () => {
  await house.program.kill();
  await receiver[Symbol.asyncDispose]();
});

async function target(text = '', port = 0): Promise<Target> {
  const opened = await openTarget(text, port);
  targets.push(opened);
  return opened;
}

/** Counters that grow as if a healthy service were under load. */
function underLoad(each: Target, name = 'requests_total'): void {
  let requests = 0;
  const count = (): void => {
    requests += 100;
    each.say(
      `# TYPE ${name} counter\n${name}{status="201"} ${requests}\n${name}{status="500"} 0\n`,
    );
  };
  count();
  const timer = setInterval(count, 50);
  const close = each[Symbol.asyncDispose];
  Object.assign(each, {
    [Symbol.asyncDispose]: () => {
      clearInterval(timer);
      return close();
    },
  });
}

const exposureOf = async (flag: string): Promise<number> => {
  const path = `/v1/environments/production/flags/${flag}`;
  const { body } = await house.ask<{
    flag: { definition: { exposure: { percentage: number } } };
  }>('GET', 'flag-service', path);
  return body.flag.definition.exposure.percentage;
};

const paged = (plan: string) =>
  eventually(
    () =>
      receiver.deliveries.find(
        ({ severity, title }) =>
          severity === 'critical' && title.startsWith(`${plan} in production`),
      ),
    15_000,
  );

describe('a rollout that cannot see', () => {
  it('holds at its stage, names the metric that is not there, and pages', async () => {
    const { url, say } = await target();
    say('# TYPE requests_total counter\nrequests_total{status="201"} 5\n');
    const id = await startRollout(
      house,
      'misspelt',
      plan('misspelt', 'misspelt', url, 'request_total'),
    );
    const { hold, status, step } = await rolloutUntil(house, id, (r) => r.hold?.paged === true);
    expect({ status, step }).toEqual({ status: 'holding', step: 'canary' });
    expect(hold).toMatchObject({
      reason: 'empty',
      message: expect.stringContaining('request_total'),
    });
    expect((await paged('misspelt')).text).toContain('request_total');
    expect(await exposureOf('misspelt')).toBe(10);
    const shown = await house.tidegate('rollout', 'list');
    expect(shown.output).toContain('holding');
  });

  it('opens nothing while the target does not answer, pages, and goes on when it does', async () => {
    const port = await freePort();
    const address = `http://127.0.0.1:${port}/metrics`;
    const id = await startRollout(house, 'silent', plan('silent', 'silent', address));
    const { hold } = await rolloutUntil(house, id, (r) => r.hold?.paged === true);
    expect(hold).toMatchObject({
      reason: 'query-error',
      message: expect.stringContaining(address),
    });
    expect((await paged('silent')).text).toContain(address);
    expect(await exposureOf('silent')).toBe(0);
    underLoad(await target('', port));
    expect(await rolloutUntil(house, id, (r) => r.status === 'completed')).not.toHaveProperty(
      'hold',
    );
    expect(await exposureOf('silent')).toBe(100);
  });

  it.each([
    ['no metrics', '<html>', 200],
    ['an error', 'down', 500],
  ])('holds on a target that answers with %s', async (_what, text, status) => {
    const each = await target();
    each.say(text, status);
    const id = await startRollout(house, 'garbled', plan('garbled', 'garbled', each.url));
    const { hold } = await rolloutUntil(house, id, (r) => r.hold !== undefined);
    expect(hold).toMatchObject({
      reason: 'query-error',
      message: expect.stringContaining(each.url),
    });
    expect(await exposureOf('garbled')).toBe(0);
    const rolledBack = await house.tidegate('rollout', 'rollback', id, '--reason', 'blind');
    expect(rolledBack).toMatchObject({ code: 0 });
    await rolloutUntil(house, id, (r) => r.status === 'rolled-back');
  });

  it('stays where it is when the target dies in the middle of a stage, and pages', async () => {
    const each = await target();
    underLoad(each);
    const text = plan('dying', 'dying', each.url).replace('hold: 400ms', 'hold: 60s');
    const id = await startRollout(house, 'dying', text);
    await eventually(async () => (await exposureOf('dying')) === 10, 15_000);
    await targets.pop()?.[Symbol.asyncDispose]();
    const { hold } = await rolloutUntil(house, id, (r) => r.hold?.paged === true);
    expect(hold).toMatchObject({
      reason: 'query-error',
      message: expect.stringContaining(each.url),
    });
    await paged('dying');
    expect(await exposureOf('dying')).toBe(10);
  });
});

describe('a rollout of what is not there', () => {
  it('ends at once when there is no such flag, and says so', async () => {
    const text =
      'plan: flagless\nflag: nothing\nsteps:\n  - { stage: all, percentage: 5, hold: 1s }\n';
    const id = await startRollout(house, 'flagless', text);
    const { ended } = await rolloutUntil(house, id, ({ status }) => status === 'aborted');
    expect(ended?.message).toContain('FLAG_UNKNOWN');
    await eventually(() =>
      receiver.deliveries.some(({ title }) => title === 'flagless in production was aborted'),
    );
  });

  it('holds and pages when there is no such migration', async () => {
    const text =
      'plan: rowless\nflag: misplaced\nsteps:\n  - { migrate: nothing, action: execute }\n  - { stage: all, percentage: 5, hold: 1s }\n';
    const id = await startRollout(house, 'rowless', text);
    const { hold } = await rolloutUntil(house, id, (r) => r.hold?.paged === true);
    expect(hold).toMatchObject({
      reason: 'migration-refused',
      message: expect.stringContaining('MIGRATION_UNKNOWN'),
    });
    await paged('rowless');
    expect(await exposureOf('misplaced')).toBe(0);
  });
});
