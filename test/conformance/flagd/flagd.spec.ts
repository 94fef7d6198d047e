import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { askFlagd, askTidegate } from './both.ts';
import { configured, type Configured, context } from './configurations.ts';

/** The same each time, so that a change is judged by itself; new ones at night. */
const SEED = 20_261_128;
const isNightly = process.env['NIGHTLY'] === '1';
const seed = Number(process.env['SEED'] ?? (isNightly ? Date.now() % 2 ** 31 : SEED));
const RUNS = Number(process.env['RUNS'] ?? (isNightly ? 50_000 : 2_500));
const CONTEXTS = 20;
const contexts = fc.array(context, { minLength: CONTEXTS, maxLength: CONTEXTS });

/** Whether a default stands for an explicit null as well, in flagd-core depends on how a rule is compiled. */
const hasDefaults = (each: Configured) => /\{"var":\["[^"]+",/.test(JSON.stringify(each));
const withoutNulls = (who: object): Record<string, unknown> =>
  JSON.parse(
    JSON.stringify(who, (_, value: unknown) => (value === null ? undefined : value)),
  ) as Record<string, unknown>;

it('an imported flag answers every context as flagd-core does, or is not imported', () => {
  const counted = { seed, configurations: 0, notExpressible: 0, pairs: 0 };
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
        expect(tidegate(who)).toEqual(flagd(who));
      }
    }),
    { numRuns: RUNS, seed },
  );
  process.stdout.write(`flagd: ${JSON.stringify(counted)}\n`);
  expect(counted.pairs).toBeGreaterThan(RUNS * CONTEXTS * 0.8);
}, 600_000);
