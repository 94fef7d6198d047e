import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { askFlagd, askTidegate } from './both.ts';
import { configured, type Configured, context } from './configurations.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const RUNS = Number(process.env['RUNS'] ?? 2_500);
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
}, 120_000);
