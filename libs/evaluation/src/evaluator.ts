import { messageOf } from '@tidegate/kernel';
import type { Flag, FlagRecord } from '@tidegate/contracts';
import { type BrokenFlag, compileFlag, type CompiledFlag } from './compiled-flag.ts';
import { type Details, type EvaluationContext, failed } from './details.ts';

export interface Evaluator {
  /**
   * Never throws. A default of another type than the flag's is a TYPE_MISMATCH; `undefined` accepts
   * every type. An empty targeting key counts as none: it would put all anonymous units in one bucket.
   */
  evaluate<T>(key: string, defaultValue: T, context?: EvaluationContext): Details<T>;
}

/** Evaluates what the records are now; deleted flags are not found. Compile again after a change: what stayed is reused. */
export function compile(records: Iterable<FlagRecord>): Evaluator {
  const flags = new Map<string, CompiledFlag | BrokenFlag>();
  for (const record of records) if (isLive(record)) flags.set(record.key, compileFlag(record));
  return {
    evaluate<T>(key: string, defaultValue: T, context?: EvaluationContext): Details<T> {
      try {
        return evaluateFlag(flags.get(key), key, defaultValue, context);
      } catch (error) {
        return failed(defaultValue, 'GENERAL', messageOf(error));
      }
    },
  };
}

export const isLive = (record: FlagRecord): record is FlagRecord & { flag: Flag } =>
  record.flag !== null;

function evaluateFlag<T>(
  flag: CompiledFlag | BrokenFlag | undefined,
  key: string,
  defaultValue: T,
  context: EvaluationContext | undefined,
): Details<T> {
  if (flag === undefined) return failed(defaultValue, 'FLAG_NOT_FOUND', `There is no flag ${key}.`);
  if ('problem' in flag) return failed(defaultValue, 'PARSE_ERROR', flag.problem, flag.metadata);
  const asked = typeof defaultValue;
  if (asked !== flag.valueType && asked !== 'undefined')
    return failed(
      defaultValue,
      'TYPE_MISMATCH',
      `The flag ${key} answers with a ${flag.valueType}, not with a ${asked}.`,
      flag.metadata,
    );
  const targetingKey = context?.targetingKey;
  const served = flag.serve(
    typeof targetingKey === 'string' && targetingKey !== '' ? targetingKey : undefined,
  );
  if (served !== undefined) return served as Details<T>;
  return failed(
    defaultValue,
    'TARGETING_KEY_MISSING',
    `The flag ${key} is open to a part of the targeting keys, and the context has none.`,
    flag.metadata,
  );
}
