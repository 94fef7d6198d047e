import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { askFlagd, askTidegate } from './both.ts';
import { configured, type Configured, context } from './configurations.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const RUNS = Number(process.env['RUNS'] ?? 2_500);
const CONTEXTS = 20;
const contexts = fc.array(context, { minLength: CONTEXTS, maxLength: CONTEXTS });

/** The engines of flagd-core differ in whether a default stands for an explicit null as well. */
const hasDefaults = (each: Configured) => /\{"var":\["[^"]+",/.test(JSON.stringify(each));
const withoutNulls = (who: object): Record<string, unknown> =>
  JSON.parse(
    JSON.stringify(who, (_, value: unknown) => (value === null ? undefined : value)),
  ) as Record<string, unknown>;

describe(`an imported flag against flagd-core, seed ${seed}`, () => {
  it('answers every context alike, or is not imported', () => {
    const counted = { configurations: 0, notExpressible: 0, pairs: 0, asOnlyOneEngineOfFlagd: 0 };
    fc.assert(
      fc.property(configured, contexts, (each, asked) => {
        counted.configurations += 1;
        const tidegate = askTidegate(each);
        if (typeof tidegate !== 'function') {
          counted.notExpressible += 1;
          return;
        }
        const flagd = askFlagd(each);
        for (const who of hasDefaults(each) ? asked.map(withoutNulls) : asked) {
          counted.pairs += 1;
          const answer = tidegate(who);
          const expected = flagd(who);
          if (isDeepStrictEqual(answer, expected)) continue;
          // flagd-core interprets rules or makes code of them, and in a few corners the two disagree.
          const interpreted = askFlagd(each, true)(who);
          expect([expected, interpreted]).toContainEqual(answer);
          counted.asOnlyOneEngineOfFlagd += 1;
        }
      }),
      { numRuns: RUNS, seed, endOnFailure: process.env['SHRINK'] !== '1' },
    );
    process.stdout.write(`flagd: ${JSON.stringify({ seed, ...counted })}\n`);
    expect(counted.pairs).toBeGreaterThan(RUNS * 10);
    expect(counted.asOnlyOneEngineOfFlagd).toBeLessThan(counted.pairs / 100);
  });
});
