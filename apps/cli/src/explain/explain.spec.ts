import { describe, expect, it } from '@jest/globals';
import type { Verdict } from '@tidegate/contracts';
import { assess, type Policy } from '@tidegate/gates';
import { stripVTControlCharacters } from 'node:util';
import type { Decision, Told } from './decision.ts';
import { explainVerdict } from './explain.ts';
import { complaintOf, explanationOf } from './explanation.ts';
import { Gathered } from './gathered.ts';
import { renderExplanation, times } from './render.ts';

const policy: Policy = {
  guard: 'error-rate',
  shadow: false,
  maxAgeMs: 30_000,
  judge: 'sequential',
  kind: 'ratio',
  limit: 0.01,
  margin: null,
  baseline: null,
  risk: 0.01,
  horizon: 60,
  detect: 0.02,
  gate: 'none',
  everyone: false,
};
const judged = (bad: number, total: number): Verdict =>
  assess(policy, { ageMs: 0, missing: null, since: [{ start: 0, bad, total }], window: 0 });
/** As it comes back from wherever it was kept. */
const kept = (verdict: Verdict): Verdict => JSON.parse(JSON.stringify(verdict)) as Verdict;

const breach = kept(judged(63, 1_204));
const explained = (verdict: Verdict) => {
  const { result, differences } = explainVerdict(verdict);
  return [result, differences.map(({ what }) => what)];
};

describe('a verdict that is judged again', () => {
  it('is the same from nothing but its inputs, to the last digit that counts', () => {
    expect(breach.outcome).toBe('breach');
    expect(explained(breach)).toEqual(['same', []]);
    expect(explained({ ...breach, logE: (breach.logE ?? 0) * (1 + 1e-14) })).toEqual(['same', []]);
    expect(explained(kept(judged(0, 0)))).toEqual(['same', []]);
  });

  it.each<[string, Partial<Verdict>, string[]]>([
    ['its outcome', { outcome: 'pass' }, ['outcome']],
    ['its reason', { reason: 'no-requests' }, ['reason']],
    ['its evidence', { evidence: { ...breach.evidence, errors: 62 } }, ['errors']],
    ['a number less', { evidence: {} }, Object.keys(breach.evidence)],
    ['E', { logE: (breach.logE ?? 0) + 1e-6 }, ['logE']],
    ['its boundary', { threshold: 4 }, ['threshold']],
    ['whom it is of', { guard: 'latency' }, ['guard']],
    ['whether it acts', { shadow: true }, ['shadow']],
  ])('differs if somebody changed %s', (_, change, what) => {
    expect(explained({ ...breach, ...change })).toEqual(['differs', what]);
  });

  it('differs if somebody changed a number that it was judged on', () => {
    const since = [{ start: 0, bad: 3, total: 1_204 }];
    const facts = { ...(breach.inputs?.['facts'] as object), since };
    const [result, what] = explained({ ...breach, inputs: { ...breach.inputs, facts } });
    expect(result).toBe('differs');
    expect(what).toEqual(expect.arrayContaining(['outcome', 'logE', 'errors']));
  });

  it.each<[string, Verdict['inputs']]>([
    ['are gone', {}],
    ['are of no judge', { ...breach.inputs, policy: { judge: 'oracle' } }],
    ['cannot be', { ...breach.inputs, policy: { ...policy, limit: 2 } }],
  ])('differs if its inputs %s', (_, inputs) => {
    expect(explained({ ...breach, inputs })).toEqual(['differs', ['inputs']]);
  });

  it('is named as not re-computable if it never had inputs', () => {
    const { inputs: _inputs, ...older } = breach;
    expect(explained(older)).toEqual(['not-computable', []]);
  });

  it('is the same if only its sentence is another, as a later release may say it', () => {
    expect(explained({ ...breach, message: 'too many errors' })).toEqual(['reworded', ['message']]);
  });
});

const told = (type: string, data: Told['data'], at = 1_790_000_000_000, id = type): Told => ({
  id,
  type,
  at,
  data: { rollout: 'r-1', ...data },
});
const gathered = (...all: Told[]) => {
  const found = new Gathered();
  for (const [index, each] of all.entries()) found.take(each, index);
  return found.found;
};
const explain = (...all: Told[]) => explanationOf('r-1', 'here', gathered(...all));
const rendered = (...all: Told[]) => stripVTControlCharacters(renderExplanation(explain(...all)));
const started = told('RolloutStarted', {});
const held = told('RolloutHeld', { step: 'canary', verdicts: [kept(judged(0, 0))] }, 2_000);
const breached = told('ThresholdBreached', { guard: 'error-rate', verdict: breach }, 1_000);

describe('an explanation', () => {
  it('has every decision that rests on verdicts, oldest first, a message that came twice once', () => {
    const { decisions, counts, isWhole } = explain(started, held, breached, held);
    const named = ({ type, step, record }: Omit<Decision, 'verdicts'>) => [type, step, record];
    expect(decisions.map(named)).toEqual([
      ['ThresholdBreached', undefined, 2],
      ['RolloutHeld', 'canary', 1],
    ]);
    expect(counts).toEqual({ same: 2, reworded: 0, differing: 0, notComputable: 0 });
    expect(isWhole).toBe(true);
  });

  it('says of each when, of what, E against its boundary, and whether it is the same', () => {
    const text = rendered(started, breached);
    expect(text).toContain('1970-01-01 00:00:01Z  breached  record 1');
    expect(text).toContain('error-rate  breach  63 of 1 204 requests failed');
    expect(text).toMatch(/E \S+ of 100 {3}same/);
    expect(text).toContain('1 of 1 verdicts are the same when they are computed again.');
    expect(complaintOf(explain(started, breached))).toBeUndefined();
  });

  it('says what differs, and complains', () => {
    const changed = { ...breach, evidence: { ...breach.evidence, errors: 62 } };
    const event = told('ThresholdBreached', { verdict: changed });
    expect(rendered(started, event)).toContain('DIFFERS: errors is 62, computed 63');
    expect(rendered(started, event)).toContain('0 of 1 verdicts');
    expect(complaintOf(explain(started, event))).toBe(
      'One verdict is not what its inputs lead to.',
    );
  });

  it('does not complain of a verdict without inputs, but names it', () => {
    const { inputs: _inputs, ...older } = breach;
    const event = told('ThresholdBreached', { verdict: older });
    expect(rendered(started, event)).toContain('not re-computable: it holds no inputs');
    expect(complaintOf(explain(started, event))).toBeUndefined();
  });

  it('says that the beginning is missing, and what is no verdict', () => {
    const odd = told('RolloutHeld', { verdicts: [{ guard: 'x' }] }, 3_000, 'odd');
    expect(rendered(odd)).toContain('Its beginning is not here');
    expect(rendered(odd)).toContain('✗ RolloutHeld has a verdict that is none');
    expect(complaintOf(explain(odd))).toBe('Not all records could be read as they were written.');
  });

  it('refuses a rollout that nothing is known of', () => {
    expect(() => explain()).toThrow('There is nothing of a rollout r-1 in here.');
  });

  it('shows how many times as likely, short', () => {
    expect([0, Math.log(100), -2.4, 40, -40].map(times)).toEqual([
      '1',
      '100',
      '0.0907',
      '10^17',
      '10^-17',
    ]);
  });
});
