import type { Rule } from '@tidegate/contracts';
import { expect, it } from '@jest/globals';
import { ruleLine } from './rule-line.ts';
import { humanFlag, type ShownFlag } from './shown-flag.ts';

const pro = { attribute: 'plan', operator: 'equals', value: 'pro' } as const;

it.each<[Rule, string]>([
  [{ name: 'staff', when: { segment: 'staff' }, variant: 'on' }, 'staff: in staff → on'],
  [
    {
      when: { all: [pro, { any: [{ segment: 'beta' }, { not: { all: [pro] } }] }] },
      variant: 'on',
    },
    '1: plan equals pro and (in beta or not (plan equals pro)) → on',
  ],
  [
    {
      when: { attribute: 'mail', operator: 'ends-with', values: ['@a', '@b'], ignoreCase: true },
      split: {
        weights: [
          { variant: 'on', weight: 1 },
          { variant: 'off', weight: 3 },
        ],
        by: 'tenant',
      },
    },
    '1: mail ends-with @a, @b (any case) → on 1 : off 3 by tenant',
  ],
  [{ variant: 'off' }, '1: everyone → off'],
  [{ when: { any: [] }, variant: 'on' }, '1: nobody → on'],
])('a rule reads as it is written: %#', (rule, line) => {
  expect(ruleLine(rule, 0)).toBe(line);
});

it('a flag whose rules decide for everyone says that its exposure is not reached', () => {
  const flag = (rules: readonly Rule[]): ShownFlag => ({
    key: 'banner',
    version: 1,
    epoch: 1,
    flag: {
      definition: {
        type: 'boolean',
        variants: { on: true, off: false },
        defaultVariant: 'off',
        offVariant: 'off',
        exposure: { variant: 'on', percentage: 100 },
        allowedUsers: [],
        deniedUsers: ['grace'],
        rules,
      },
    },
  });
  const shown = humanFlag(flag([{ name: 'rest', variant: 'off' }]));
  expect(shown).toContain('100 % on, but nobody gets there: rule rest decides for everyone');
  expect(shown).toContain('on = true, off = false');
  expect(shown).toContain('grace');
  expect(humanFlag(flag([]))).not.toContain('nobody gets there');
});
