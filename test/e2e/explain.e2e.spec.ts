import { hash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import {
  isOver,
  makeFlags,
  openHouse,
  rolloutUntil,
  type Standalone,
  startRollout,
} from './house.ts';
import { temporaryFolder } from './process.ts';
import { openTarget, type Target } from './target.ts';

jest.setTimeout(90_000);

const plan = (scrape: string) => `
plan: explained
flag: explained
checkEvery: 200ms
metrics:
  errors:
    type: ratio
    source: { scrape: ['${scrape}'] }
    bad: { metric: requests_total, where: { status: '500' } }
    total: { metric: requests_total }
guards:
  - { name: error-rate, judge: sequential, metric: errors, limit: 1%, detect: 20% }
  - { name: in-shadow, judge: sequential, metric: errors, limit: 1%, detect: 20%, shadow: true }
steps:
  - { stage: canary, percentage: 10, hold: 1s }
  - { stage: everyone, percentage: 100, hold: 1h }
`;

let house: Standalone;
let target: Target;
let id: string;
let timer: NodeJS.Timeout;
/** Fails from the second stage on. */
let failing = 0;

interface Explanation {
  readonly counts: { same: number; differing: number; notComputable: number };
  readonly decisions: readonly {
    type: string;
    verdicts: readonly { result: string; verdict: { guard: string; inputs?: object } }[];
  }[];
}

beforeAll(async () => {
  target = await openTarget();
  const counted = { ok: 0, failed: 0 };
  timer = setInterval(() => {
    counted.ok += 100 - failing;
    counted.failed += failing;
    target.say(
      `# TYPE requests_total counter\nrequests_total{status="201"} ${counted.ok}\nrequests_total{status="500"} ${counted.failed}\n`,
    );
  }, 50);
  house = await openHouse();
  await makeFlags(house, 'explained');
  id = await startRollout(house, 'explained', plan(target.url));
  await rolloutUntil(house, id, ({ step }) => step === 'everyone');
  failing = 30;
  await rolloutUntil(house, id, isOver);
});
afterAll(async () => {
  clearInterval(timer);
  await house.program.kill();
  await target[Symbol.asyncDispose]();
});

const explain = async (...args: string[]) => {
  const { code, output } = await house.tidegate('--json', 'rollout', 'explain', id, ...args);
  const end = output.lastIndexOf('\n}') + 2;
  return { code, output, explanation: JSON.parse(output.slice(0, end)) as Explanation };
};

/** The sealed archive, as somebody might have got it. */
async function archived(): Promise<string> {
  await house.ask('POST', 'audit-sink', '/v1/seals?drainMs=5000');
  const folder = join(temporaryFolder(), 'archive');
  cpSync(join(house.folder, 'audit/archive'), folder, { recursive: true });
  return folder;
}

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

interface Line {
  leaf: string;
  manifest: { contentHash: string; type: string };
  salt: string;
  content: { value: { utf8: string } };
}

/** Makes the breach in an archive look larger than it was; `forged`: with hashes that fit. */
function tamper(folder: string, forged: boolean): void {
  for (const name of readdirSync(join(folder, 'segments'))) {
    const file = join(folder, 'segments', name);
    const lines = gunzipSync(readFileSync(file)).toString().trimEnd().split('\n');
    const changed = lines.map((text) => {
      const line = JSON.parse(text) as Line;
      if (line.manifest.type !== 'tidegate.metric.threshold-breached.v1') return text;
      const before = line.content.value.utf8;
      line.content.value.utf8 = before.replace(/"errors":\d+/, '"errors":9999');
      expect(line.content.value.utf8).not.toBe(before);
      const content = JSON.stringify(line.content);
      const salted = Buffer.concat([Buffer.from(line.salt, 'hex'), Buffer.from(content)]);
      if (forged) line.manifest.contentHash = hash('sha256', salted, 'base64');
      const manifest = canonical(line.manifest);
      const leaf = forged ? hash('sha256', `\0${manifest}`) : line.leaf;
      return `{"leaf":"${leaf}","manifest":${manifest},"salt":"${line.salt}","content":${content}}`;
    });
    writeFileSync(file, gzipSync(`${changed.join('\n')}\n`));
  }
}

describe('a rollout that was rolled back', () => {
  it('is explained by the audit log: every verdict is the same when it is judged again', async () => {
    const explanation = await eventually(async () => {
      const { code, output, explanation } = await explain();
      expect({ code, output }).toMatchObject({ code: 0 });
      expect(explanation.decisions.map(({ type }) => type)).toContain('ThresholdBreached');
      return explanation;
    }, 20_000);
    expect(explanation.counts).toMatchObject({ differing: 0, notComputable: 0 });
    const types = explanation.decisions.map(({ type }) => type);
    expect(types).toEqual(expect.arrayContaining(['StepCompleted', 'ThresholdBreached']));
    for (const { verdicts } of explanation.decisions)
      for (const { result, verdict } of verdicts) {
        expect(result).toBe('same');
        expect(verdict.inputs).toBeDefined();
      }
  });

  it('is explained the same way by metrics-gatekeeper, and offline by the archive', async () => {
    const { explanation: recorded } = await explain();
    const { code, explanation } = await explain('--decisions');
    expect({ code, counts: explanation.counts }).toEqual({ code: 0, counts: recorded.counts });
    const offline = await explain('--archive', await archived());
    expect(offline).toMatchObject({ code: 0, explanation: { counts: recorded.counts } });
  });

  it('is told to people with E against its boundary', async () => {
    const { code, output } = await house.tidegate('rollout', 'explain', id);
    expect(code).toBe(0);
    expect(output).toMatch(/breached {2}record \d+/);
    expect(output).toMatch(/error-rate {2}breach {2}\d+ of/);
    expect(output).toMatch(/E \S+ of 200 {3}same/);
    expect(output).toMatch(/(\d+) of \1 verdicts are the same/);
  });

  it.each([
    ['a changed number', false, 'it does not fit its own hash'],
    ['a changed number with hashes that fit', true, 'errors is 9999, computed'],
  ])('is not explained by an archive with %s', async (_, forged, why) => {
    const folder = await archived();
    tamper(folder, forged);
    const { code, output } = await house.tidegate('rollout', 'explain', id, '--archive', folder);
    expect(code).toBe(1);
    expect(output).toContain(why);
    expect(output).toContain('DIFFERS: errors is 9999, computed');
    expect(output).toContain('One verdict is not what its inputs lead to.');
  });

  it('is refused where nothing is known of it, and by a folder that is no archive', async () => {
    const unknown = await house.tidegate('rollout', 'explain', 'r-unknown');
    expect(unknown.code).toBe(1);
    expect(unknown.output).toContain('There is nothing of a rollout r-unknown in audit-sink.');
    const folder = temporaryFolder();
    const empty = await house.tidegate('rollout', 'explain', id, '--archive', folder);
    expect(empty.output).toContain('There are no segments in');
    const both = await house.tidegate('rollout', 'explain', id, '--decisions', '--archive', folder);
    expect(both.code).toBe(2);
  });
});

describe('its guards', () => {
  it('are listed with what they have done', async () => {
    interface Guards {
      readonly items: readonly { guard: string; rollouts: number; breached: number }[];
    }
    await eventually(async () => {
      const { output } = await house.tidegate('--json', 'gate', 'list', '--plan', 'explained');
      expect((JSON.parse(output) as Guards).items).toMatchObject([
        { guard: 'error-rate', rollouts: 1, breached: 1, hasFired: true },
        { guard: 'in-shadow', rollouts: 1, breached: 0, shadow: true },
      ]);
      return true;
    });
    const { output } = await house.tidegate('gate');
    expect(output).toMatch(/explained +error-rate +sequential +1 +1 +0 /);
  });
});
