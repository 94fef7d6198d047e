import { describe, expect, it } from '@jest/globals';
import { defects } from './defects.ts';
import { simulate } from './simulate.ts';

/** As many as an ordinary run simulates: what needs more would not be found. */
const ROLLOUTS = 2_000;

describe('a planted defect is found by the promise that it breaks', () => {
  it.each(Object.entries(defects))(
    '%s',
    async (_name, { breaks, defect }) => {
      const others = new Set<string>();
      for (let seed = 1; seed <= ROLLOUTS; seed += 1) {
        const { violation } = await simulate(seed, defect);
        if (violation && breaks.test(violation.message)) return;
        if (violation) others.add(`${seed}: ${violation.message}`);
      }
      expect(`Not found in ${ROLLOUTS} rollouts, but ${[...others].join('\n')}`).toMatch(breaks);
    },
    120_000,
  );
});
