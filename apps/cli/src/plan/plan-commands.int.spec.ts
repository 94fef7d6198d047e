import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startLoneService } from '../../../../test/e2e/lone-service.ts';
import { temporaryFolder } from '../../../../test/e2e/process.ts';
import { run } from '../program.ts';

jest.setTimeout(60_000);
const folder = temporaryFolder();
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const PLAN = `plan: demo
flag: checkout-v2
metrics:
  errors:
    type: ratio
    source: { prometheus: {} }
    bad: { metric: requests_total, where: { status: error } }
    total: { metric: requests_total }
  lost: { type: count, source: { prometheus: {} }, count: { metric: lost_total } }
guards:
  - { name: error-rate, judge: sequential, metric: errors, limit: 1% }
  - { name: lost-orders, judge: immediate, metric: lost }
steps:
  - { stage: canary, percentage: 10, hold: 10m }
  - { stage: all, percentage: 100, hold: 10m }
`;
const plan = file('plan.yaml', PLAN);
const series = file(
  'series.txt',
  [
    'load 15s',
    'requests_total{status="ok"} 0+1499x100',
    'requests_total{status="error"} 0+1x100',
    'lost_total 0x100',
  ].join('\n'),
);

let env: Readonly<Record<string, string>>;
beforeAll(async () => {
  env = await startLoneService('metrics-gatekeeper', folder);
});

async function tidegate(...args: readonly string[]) {
  let text = '';
  let error = '';
  const code = await run(args, {
    env,
    write: (more) => void (text += more),
    writeError: (more) => void (error += more),
    random: () => new Uint8Array(),
    signal: new AbortController().signal,
    version: '0',
  });
  return { code, text: stripVTControlCharacters(text), error: stripVTControlCharacters(error) };
}

describe('a plan in a file', () => {
  it('is rehearsed: how it would have ended, and how near each guard came', async () => {
    const { code, text } = await tidegate('plan', 'rehearse', plan, '--series', series);
    expect(code).toBe(0);
    expect(text).toMatch(/^demo → checkout-v2 in production, rehearsed {3}completed {2}after 2\dm/);
    expect(text).toMatch(/✔ +canary +10 % +\+0s +\+10m/);
    expect(text).toMatch(/error-rate +[▁▂▃▄▅▆▇█]{24} +sequential +no breach/);
  });

  it('shows which injection is seen by whom, and fails where the outcome is not the expected', async () => {
    const inject = ['-i', 'errors+5%@all', '-i', 'stop-scrape@all'];
    const args = ['plan', 'rehearse', plan, '--series', series];
    const { text } = await tidegate(...args, ...inject);
    expect(text).toMatch(/errors\+5%@all +error-rate +\d+s +rolled back/);
    expect(text).toMatch(/stop-scrape@all +nobody +held: /);
    const expecting = await tidegate(...args, '--expect', 'rolled-back');
    expect(expecting.code).toBe(1);
    expect(expecting.error).toContain('completed after 2');
    expect((await tidegate(...args, '--expect', 'something')).code).toBe(2);
  });

  it('fails with --mutate and the name of the guard that nothing makes fire', async () => {
    const args = ['plan', 'rehearse', plan, '--mutate', '--series'];
    expect((await tidegate(...args, series)).code).toBe(0);
    const misspelt = file('misspelt.yaml', PLAN.replace('lost_total', 'lots_total'));
    const { code, text, error } = await tidegate(
      'plan',
      'rehearse',
      misspelt,
      ...args.slice(3),
      series,
    );
    expect(code).toBe(1);
    expect(text).toContain('lost-orders never fires: its metric lost had no usable data');
    expect(error).toContain('lost-orders: no regression makes this guard fire.');
  });

  it('is told what it can see with so much traffic', async () => {
    const { code, text } = await tidegate('plan', 'feasibility', plan, '--rps', '10');
    expect(code).toBe(0);
    expect(text).toMatch(/canary +error-rate +10m +600 +2 % is seen in/);
    expect(text).toContain('! At 10 requests/s the 10 % step canary of 10m sees 600 requests.');
    const json = await tidegate('plan', 'feasibility', plan, '--rps', '10', '--json');
    expect(JSON.parse(json.text)).toMatchObject({ from: 'stated', guards: expect.any(Array) });
  });
});

it.each([
  ['which data', ['rehearse', plan], 2, 'Say which data'],
  ['from when', ['rehearse', plan, '--prometheus'], 2, 'Say from when'],
  ['a stored plan that is not there', ['feasibility', 'nowhere'], 1, 'There is no plan nowhere.'],
  [
    'a file that is not there',
    ['rehearse', plan, '--series', 'none.txt'],
    1,
    'none.txt cannot be read',
  ],
  ['an injection', ['rehearse', plan, '--series', series, '-i', 'x'], 1, 'expected errors×2'],
])('what is missing is said: %s', async (_what, args, code, sentence) => {
  const answer = await tidegate('plan', ...args);
  expect([answer.code, answer.error]).toEqual([code, expect.stringContaining(sentence)]);
});
