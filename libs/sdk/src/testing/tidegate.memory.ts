import { flag, flagTypes, type FlagRecord } from '@tidegate/contracts';
import { compile, type Details, type EvaluationContext } from '@tidegate/evaluation';
import { TidegateClient } from '../client.loop.ts';
import type { FlagSink } from '../flag-source.port.ts';
import type { Tidegate } from '../tidegate.port.ts';

type Value = boolean | string | number | object;
/** What a flag answers: the same for everyone, or by who asks. */
export type FlagValue = Value | Rule;
type Rule = (context: EvaluationContext) => Value;

/** Flags that a spec sets. */
export interface MemoryTidegate extends Tidegate {
  set(key: string, value: FlagValue): void;
  remove(key: string): void;
}

/** A Tidegate without a server, for specs: `memoryTidegate({ 'checkout-v2': true })`. A failing listener throws at once. */
export function memoryTidegate(values: Readonly<Record<string, FlagValue>> = {}): MemoryTidegate {
  const opened: { sink?: FlagSink } = {};
  const client = new ClientWithRules((sink) => {
    opened.sink = sink;
    return { close: () => Promise.resolve() };
  });
  let version = 0;
  const put = (key: string, value: FlagValue | null) => {
    version += 1;
    const rule = typeof value === 'function' ? (value as Rule) : undefined;
    if (rule) client.rules.set(key, rule);
    else client.rules.delete(key);
    const now = rule ? true : value;
    opened.sink?.apply([{ key, epoch: 1, version, flag: now === null ? null : always(now) }]);
  };
  for (const [key, value] of Object.entries(values)) put(key, value);
  opened.sink?.sync([]);
  return Object.assign(client, {
    set: put,
    remove: (key: string) => {
      put(key, null);
    },
  });
}

/** A flag with a rule is compiled anew for each question: specs ask few. */
class ClientWithRules extends TidegateClient {
  readonly rules = new Map<string, Rule>();

  constructor(open: ConstructorParameters<typeof TidegateClient>[2]) {
    super(2 ** 31 - 1, thrown, open);
  }

  override details<T>(key: string, defaultValue: T, context: EvaluationContext = {}): Details<T> {
    const rule = this.rules.get(key);
    if (rule === undefined) return super.details(key, defaultValue, context);
    const record = { key, epoch: 1, version: 1, flag: always(rule(context)) };
    return compile([record]).evaluate(key, defaultValue, context);
  }
}

const thrown = (error: Error): never => {
  throw error;
};

const always = (value: Value): FlagRecord['flag'] =>
  flag.parse({
    definition: {
      type: flagTypes.find((type) => type === typeof value),
      variants: { set: value },
      defaultVariant: 'set',
      offVariant: 'set',
      exposure: { variant: 'set', percentage: 0 },
    },
    salt: 'spec',
  });
