import { messageOf } from '@tidegate/kernel';
import type { FlagRecord, ViewRecord } from '@tidegate/contracts';
import type { LiveFlag } from './compiled-flag.ts';
import { type Details, type EvaluationContext, failed } from './details.ts';
import type { FlagNode } from './node.ts';
import { type MistypedPort, Program } from './program.ts';

export interface Evaluator {
  /**
   * Never throws. A default of another type than the flag's is a TYPE_MISMATCH; `undefined` accepts
   * every type. An empty targeting key counts as none: it would put all anonymous units in one bucket.
   */
  evaluate<T>(key: string, defaultValue: T, context?: EvaluationContext): Details<T>;
  /** Takes the records as they are now, whatever it held of them; only they and what refers to them are compiled anew. */
  update(records: Iterable<ViewRecord>): void;
  /** Keys of the flags that refer to this flag or segment, directly or through others. */
  dependents(record: ViewRecord): readonly string[];
}

export interface EvaluatorOptions {
  /** Told of every comparison that cannot be made, since its operand or the attribute has the wrong type. Must not throw. */
  readonly onMistyped?: MistypedPort;
}

/**
 * Evaluates what the records are now; deleted flags are not found. Each flag is compiled when it is first asked for.
 */
export function compile(
  records: Iterable<ViewRecord>,
  { onMistyped }: EvaluatorOptions = {},
): Evaluator {
  const evaluator = new CompiledFlags(new Program(onMistyped));
  evaluator.update(records);
  return evaluator;
}

export const isLive = (record: FlagRecord): record is LiveFlag => record.flag !== null;

const NO_CONTEXT: EvaluationContext = Object.freeze({});

class CompiledFlags implements Evaluator {
  readonly #program: Program;
  readonly #flags: ReadonlyMap<string, FlagNode>;

  constructor(program: Program) {
    this.#program = program;
    this.#flags = program.flags;
  }

  evaluate<T>(key: string, defaultValue: T, context?: EvaluationContext): Details<T> {
    try {
      const node = this.#flags.get(key);
      if (node === undefined)
        return failed(defaultValue, 'FLAG_NOT_FOUND', `There is no flag ${key}.`);
      const { valueType, serve } = node.compiled ?? this.#program.compiled(node);
      const asked = typeof defaultValue;
      if (asked !== valueType && asked !== 'undefined') return mismatched(node, defaultValue);
      const served = serve(context ?? NO_CONTEXT);
      if (served.reason === 'ERROR') return withDefault(served, defaultValue);
      return served.value === null ? byDefault(served, defaultValue) : (served as Details<T>);
    } catch (error) {
      return failed(defaultValue, 'GENERAL', messageOf(error));
    }
  }

  update(records: Iterable<ViewRecord>): void {
    for (const record of records) this.#program.put(record);
  }

  dependents(record: ViewRecord): readonly string[] {
    return this.#program.dependents(record);
  }
}

function mismatched<T>({ record, compiled }: FlagNode, defaultValue: T): Details<T> {
  if (compiled === undefined || compiled.valueType === 'none')
    return withDefault(compiled?.serve(NO_CONTEXT), defaultValue);
  return failed(
    defaultValue,
    'TYPE_MISMATCH',
    `The flag ${record.key} answers with a ${compiled.valueType}, not with a ${typeof defaultValue}.`,
    compiled.metadata,
  );
}

/** A variant of null has no value of its own. */
function byDefault<T>({ reason, flagMetadata }: Details, value: T): Details<T> {
  const isOff = reason === 'DISABLED' || reason === 'PREREQUISITE_FAILED';
  return { value, reason: isOff ? reason : 'DEFAULT', flagMetadata };
}

const withDefault = <T>(error: Details | undefined, defaultValue: T): Details<T> =>
  failed(
    defaultValue,
    error?.errorCode ?? 'GENERAL',
    error?.errorMessage ?? 'The flag cannot be evaluated.',
    error?.flagMetadata,
  );
