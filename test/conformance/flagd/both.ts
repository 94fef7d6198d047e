import { flag, type FlagRecord } from '@tidegate/contracts';
import { compile, importFlagd } from '@tidegate/evaluation';
import { FlagdCore } from '@openfeature/flagd-core';
import type { Configured, ValueType } from './configurations.ts';

/** Of an answer what somebody can tell: value, variant, and which kind of reason. */
export interface Told {
  readonly value: unknown;
  readonly variant: string | undefined;
  readonly reason: string | undefined;
  readonly errorCode: string | undefined;
}

export const DEFAULTS = { boolean: true, string: 'asked', number: 99, object: { asked: true } };
const silent = { error() {}, warn() {}, info() {}, debug() {} };

type Context = Readonly<Record<string, unknown>>;
type Ask = (context: Context) => Told;

/** flagd itself, in its default mode: it makes code of rules. */
export function askFlagd({ type, key, configuration }: Configured): Ask {
  const core = new FlagdCore(undefined, silent);
  core.setConfigurations(JSON.stringify(configuration));
  return (context) => told(configuration.flags[key], resolve(core, type, key, context));
}

function resolve(core: FlagdCore, type: ValueType, key: string, context: Context) {
  const asked = context as never;
  if (type === 'boolean') return core.resolveBooleanEvaluation(key, DEFAULTS.boolean, asked);
  if (type === 'string') return core.resolveStringEvaluation(key, DEFAULTS.string, asked);
  if (type === 'number') return core.resolveNumberEvaluation(key, DEFAULTS.number, asked);
  return core.resolveObjectEvaluation(key, DEFAULTS.object, asked);
}

/** Tidegate after the import; a list of sentences instead, if the flag cannot be expressed. */
export function askTidegate({ type, key, configuration }: Configured): Ask | string[] {
  const { flags, problems } = importFlagd(JSON.parse(JSON.stringify(configuration)));
  if (problems.length > 0) return problems.map(({ where, what }) => `${where}: ${what}`);
  const evaluator = compile(flags.map(recordOf));
  return (context) =>
    told(configuration.flags[key], evaluator.evaluate<unknown>(key, DEFAULTS[type], context));
}

export const recordOf = ({
  key,
  definition,
  isDisabled,
}: ReturnType<typeof importFlagd>['flags'][number]): FlagRecord => ({
  key,
  epoch: 1,
  version: 1,
  flag: flag.parse({
    definition,
    salt: 'not used by imported flags',
    ...(isDisabled ? { disabled: { reason: 'off in flagd', at: 0, by: 'import' } } : {}),
  }),
});

interface Answer {
  readonly value: unknown;
  readonly variant?: string;
  readonly reason?: string;
  readonly errorCode?: string;
}

/**
 * The reason differs in three cases, the answer never: flagd does not tell splits from other rules; targeting that
 * never gives anything is no targeting here; a share of `fractional` without a variant is a share of the default.
 */
function told(flag: unknown, { value, variant, reason, errorCode }: Answer): Told {
  const { targeting, defaultVariant } = flag as Flag;
  const isTargeted = Object.keys(targeting ?? {}).length > 0;
  const hasEmptyShare = JSON.stringify(targeting ?? null).includes('[null,');
  const isDefault =
    (reason === 'STATIC' && isTargeted) || (hasEmptyShare && variant === defaultVariant);
  const kind = isDefault ? 'DEFAULT' : reason === 'SPLIT' ? 'TARGETING_MATCH' : reason;
  return { value, variant, reason: kind, errorCode };
}

interface Flag {
  readonly targeting?: object | null;
  readonly defaultVariant?: string | null;
}
