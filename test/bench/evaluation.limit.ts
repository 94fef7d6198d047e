import { firstHash } from '../../libs/evaluation/src/bucket.ts';
import type { Details } from '../../libs/evaluation/src/details.ts';
import { LEAST, orderedMurmur3After } from '../../libs/evaluation/src/murmur3.ts';
import {
  type Case,
  type contexts,
  COUNTRIES,
  keysOf,
  parentOf,
  parents,
  PLAN,
  saltOf,
} from './evaluation.cases.ts';

type Context = (typeof contexts)[number];
export type Evaluate<C> = (key: string, context: C) => unknown;

/** What the rules cost when somebody writes them out by hand, with the same hash and the same answers. */
export function limitOf(of: Case, count: number): Evaluate<Context> {
  const flags = new Map(keysOf(count).map((key, index) => [key, flagOf(index)]));
  const above = new Map(parents.map((key) => [key, flagOf(0)]));
  if (of === 'simple') return (key) => flags.get(key)?.on.value;
  if (of === 'split')
    return (key, { targetingKey }) => {
      const flag = flags.get(key);
      if (!flag) return undefined;
      const hash = flag.hash(targetingKey);
      return (hash < QUARTER ? flag.a : hash < HALF ? flag.b : flag.c).value;
    };
  const targeted = (flag: Flag, { plan, country, targetingKey }: Context): Details => {
    if (plan === PLAN) return flag.onByPlan;
    if (!flag.countries.has(country)) return flag.off;
    return flag.hash(targetingKey) < HALF ? flag.onBySplit : flag.offBySplit;
  };
  if (of === 'targeted')
    return (key, context) => {
      const flag = flags.get(key);
      return flag && targeted(flag, context).value;
    };
  return (key, context) => {
    const flag = flags.get(key);
    if (!flag) return undefined;
    return above.get(flag.parent)?.on.variant === 'on' ? targeted(flag, context).value : false;
  };
}

const HALF = LEAST + firstHash(1, 2);
const QUARTER = LEAST + firstHash(1, 4);

type Flag = ReturnType<typeof flagOf>;
function flagOf(index: number) {
  const answer = (value: unknown, variant: string, reason: Details['reason']): Details =>
    Object.freeze({ value, variant, reason, flagMetadata: Object.freeze({ version: 1 }) });
  return {
    parent: parentOf(index),
    countries: new Set(COUNTRIES),
    hash: orderedMurmur3After(`${saltOf(index)}.variant.`),
    on: answer(true, 'on', 'STATIC'),
    off: answer(false, 'off', 'DEFAULT'),
    onByPlan: answer(true, 'on', 'TARGETING_MATCH'),
    onBySplit: answer(true, 'on', 'SPLIT'),
    offBySplit: answer(false, 'off', 'SPLIT'),
    a: answer('a', 'a', 'SPLIT'),
    b: answer('b', 'b', 'SPLIT'),
    c: answer('c', 'c', 'SPLIT'),
  };
}
