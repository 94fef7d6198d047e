import { FULL, NONE } from '@tidegate/kernel';
import type { Flag, FlagRecord } from '@tidegate/contracts';
import { bucket } from './bucket.ts';
import type { Details, FlagMetadata, Reason } from './details.ts';
import { murmur3After } from './murmur3.ts';

/** Answers are made once and shared, so that serving one allocates nothing. */
export interface CompiledFlag {
  /** What `typeof` says of every value of the flag. */
  readonly valueType: 'boolean' | 'string' | 'number' | 'object';
  readonly metadata: FlagMetadata;
  /** Undefined: it depends on a targeting key, and there is none. */
  serve(targetingKey: string | undefined): Details | undefined;
}

/** Why a flag cannot be evaluated, as a sentence. */
export interface BrokenFlag {
  readonly problem: string;
  readonly metadata: FlagMetadata;
}

const compiled = new WeakMap<FlagRecord, CompiledFlag | BrokenFlag>();

/** Compiles each record once; records are never changed. */
export function compileFlag(record: FlagRecord & { flag: Flag }): CompiledFlag | BrokenFlag {
  const known = compiled.get(record);
  if (known) return known;
  const made = compileAnew(record);
  compiled.set(record, made);
  return made;
}

function compileAnew(record: FlagRecord & { flag: Flag }): CompiledFlag | BrokenFlag {
  const { definition, disabled } = record.flag;
  const { variants, defaultVariant, offVariant, exposure, type } = definition;
  const metadata = metadataOf(record);
  const missing = [defaultVariant, offVariant, exposure.variant].find(
    (variant) => !Object.hasOwn(variants, variant),
  );
  if (missing !== undefined)
    return { problem: `The flag ${record.key} has no variant "${missing}".`, metadata };
  const answer = (variant: string, reason: Reason): Details =>
    Object.freeze({
      value: frozenCopy(variants[variant]),
      variant,
      reason,
      flagMetadata: metadata,
    });
  const valueType = type === 'mode' ? 'string' : type;
  if (disabled) return { valueType, metadata, serve: always(answer(offVariant, 'DISABLED')) };
  return { valueType, metadata, serve: serveEnabled(record.flag, answer) };
}

/** Deny and allow lists, then exposure, then the default. */
function serveEnabled(
  { definition: { defaultVariant, exposure, allowedUsers, deniedUsers }, salt }: Flag,
  answer: (variant: string, reason: Reason) => Details,
): CompiledFlag['serve'] {
  const { variant, percentage } = exposure;
  const isListed = allowedUsers.length + deniedUsers.length > 0;
  const byExposure = serveByExposure(
    percentage,
    salt,
    answer(variant, percentage >= FULL && !isListed ? 'STATIC' : 'SPLIT'),
    answer(defaultVariant, percentage > NONE ? 'SPLIT' : isListed ? 'DEFAULT' : 'STATIC'),
  );
  if (!isListed) return byExposure;
  const denied = new Set(deniedUsers);
  const allowed = new Set(allowedUsers);
  const whenDenied = answer(defaultVariant, 'TARGETING_MATCH');
  const whenAllowed = answer(variant, 'TARGETING_MATCH');
  return (targetingKey) => {
    if (targetingKey !== undefined) {
      if (denied.has(targetingKey)) return whenDenied;
      if (allowed.has(targetingKey)) return whenAllowed;
    }
    return byExposure(targetingKey);
  };
}

function serveByExposure(
  percentage: number,
  salt: string,
  inside: Details,
  outside: Details,
): CompiledFlag['serve'] {
  if (percentage <= NONE) return always(outside);
  if (percentage >= FULL) return always(inside);
  const hash = murmur3After(`${salt}.`);
  return (targetingKey) => {
    if (targetingKey === undefined) return undefined;
    return bucket(hash(targetingKey), FULL) < percentage ? inside : outside;
  };
}

const always =
  (details: Details): CompiledFlag['serve'] =>
  () =>
    details;

function metadataOf({ epoch, version, flag }: FlagRecord): FlagMetadata {
  const hold = flag?.hold;
  return Object.freeze({
    epoch,
    version,
    ...(hold === undefined ? {} : { rollout: hold.rollout.id }),
    ...(hold?.step === undefined ? {} : { step: hold.step }),
  });
}

/** Values are shared by all callers: what one of them does to its object must not reach the next. */
function frozenCopy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return Object.freeze(value.map(frozenCopy));
  return Object.freeze(
    Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, frozenCopy(inner)])),
  );
}
