import { describe, expect, it } from '@jest/globals';
import {
  metricsSourceContract,
  ONE_PLUS_ONE,
  RULE,
  type Served,
} from './metrics-source.contract.ts';
import { recordedSource } from './metrics-source.memory.ts';

describe('the recorded source', () => {
  metricsSourceContract(async () => {
    const source = recordedSource();
    let now = 1_000;
    let targets = 0;
    const answer = (served: Served) => ('text' in served ? served.text : served.failure);
    return {
      source,
      evaluates: true,
      nextInstant: () => (now += 1_000),
      serve: async (served) => {
        targets += 1;
        const target = `http://target-${targets}/metrics`;
        source.record(target, now, answer(served));
        source.recordQuery(target, ONE_PLUS_ONE, now, 2);
        source.recordRules(target, now, [RULE]);
        return target;
      },
      change: async (target, served) => {
        source.record(target, now + 1, answer(served));
      },
    };
  });

  it('takes every reading at the instant that is asked for, also in the past', async () => {
    const source = recordedSource();
    source.record('a', 200, 'a_total 2\n');
    source.record('a', 100, (at) => `a_total ${at / 100}\n`);
    const valueAt = async (at: number) => {
      const [reading] = await source.read([{ target: 'a', metrics: ['a_total'] }], at);
      return reading?.outcome === 'taken'
        ? [reading.at, reading.samples[0]?.value]
        : reading?.failure;
    };
    expect(await valueAt(250)).toEqual([250, 2]);
    expect(await valueAt(150)).toEqual([150, 1.5]);
    expect(await valueAt(50)).toBe('unreachable');
  });

  it('gives an expression the value of its instant, several series or a failure', async () => {
    const source = recordedSource();
    source.record('a', 0, '');
    source.recordQuery('a', 'q', 0, (at) => at / 100);
    source.recordQuery('a', 'q', 200, [{ labels: { x: '1' }, value: 7 }]);
    source.recordQuery('a', 'q', 300, 'timeout');
    const answerAt = async (at: number) => {
      const [reading] = await source.read([{ target: 'a', metrics: [], queries: ['q'] }], at);
      return reading?.outcome === 'taken' ? reading.answers?.['q'] : undefined;
    };
    expect(await answerAt(150)).toEqual({ points: [{ labels: {}, value: 1.5, at: 150 }] });
    expect(await answerAt(250)).toEqual({ points: [{ labels: { x: '1' }, value: 7, at: 250 }] });
    expect(await answerAt(350)).toMatchObject({ failure: 'timeout' });
  });
});
