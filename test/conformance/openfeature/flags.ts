import type { FlagRecord } from '@tidegate/contracts';
import { importFlagd } from '@tidegate/evaluation';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { recordOf } from '../flagd/both.ts';
import { features } from './scenarios.ts';

const BALLMER = { '===': [{ var: 'email' }, 'ballmer@macrosoft.com'] };

/** The flags' `contextEvaluator` is CEL; there are two of them, translated here by hand. */
const TARGETING: Readonly<Record<string, object>> = {
  "email == 'ballmer@macrosoft.com' ? 'zero' : ''": { if: [BALLMER, 'zero', null] },
  "!customer && email == 'ballmer@macrosoft.com' && age > 10 ? 'internal' : ''": {
    if: [
      { and: [{ '!': { var: 'customer' } }, BALLMER, { '>': [{ var: 'age' }, 10] }] },
      'internal',
      null,
    ],
  },
};

interface TestFlag {
  readonly disabled?: boolean;
  readonly variants: object;
  readonly defaultVariant?: string | null;
  readonly flagMetadata?: object | null;
  readonly contextEvaluator?: string;
}

/** `test-flags.json` as flags of flagd, imported. */
export function testFlags(): FlagRecord[] {
  const file = readFileSync(join(features, 'test-flags.json'), 'utf8');
  const written = Object.entries(JSON.parse(file) as Record<string, TestFlag>);
  const { flags, problems } = importFlagd({
    flags: Object.fromEntries(written.map(([key, flag]) => [key, asFlagd(flag)])),
  });
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return flags.map(recordOf);
}

function asFlagd({ disabled, variants, defaultVariant, flagMetadata, contextEvaluator }: TestFlag) {
  const targeting = contextEvaluator === undefined ? {} : TARGETING[contextEvaluator];
  if (!targeting) throw new Error(`Nobody has translated ${contextEvaluator}.`);
  const state = disabled === true ? 'DISABLED' : 'ENABLED';
  return { state, variants, defaultVariant, targeting, metadata: flagMetadata ?? {} };
}
