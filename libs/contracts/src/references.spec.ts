import { expect, it } from '@jest/globals';
import { flagDefinition } from './flag.ts';
import { referencesOf } from './references.ts';
import { segmentDefinition } from './segment.ts';

const flag = (refers: object) =>
  flagDefinition.parse({
    type: 'boolean',
    variants: { on: true, off: false },
    defaultVariant: 'off',
    offVariant: 'off',
    exposure: { variant: 'on', percentage: 0 },
    ...refers,
  });

it('a flag refers to its prerequisites and to the segments anywhere in its rules, each once', () => {
  const definition = flag({
    prerequisites: [
      { flag: 'payments', variants: ['on'] },
      { flag: 'basket', variants: ['on'] },
      { flag: 'payments', variants: ['v2'] },
    ],
    rules: [
      { when: { all: [{ segment: 'beta' }, { not: { segment: 'staff' } }] }, variant: 'on' },
      { when: { any: [{ all: [{ segment: 'beta' }] }, { segment: 'abroad' }] }, variant: 'on' },
      { variant: 'off' },
    ],
  });
  expect(referencesOf(definition)).toEqual({
    flags: ['basket', 'payments'],
    segments: ['abroad', 'beta', 'staff'],
  });
});

it('a segment refers to other segments alone', () => {
  const definition = segmentDefinition.parse({ when: { not: { segment: 'staff' } } });
  expect(referencesOf(definition)).toEqual({ flags: [], segments: ['staff'] });
});

it('what names nothing refers to nothing', () => {
  const nothing = { flags: [], segments: [] };
  expect(referencesOf(flag({}))).toEqual(nothing);
  expect(referencesOf(segmentDefinition.parse({ members: ['ada'] }))).toEqual(nothing);
});
