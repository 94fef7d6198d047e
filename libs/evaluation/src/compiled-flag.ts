import { FULL, NONE } from '@tidegate/kernel';
import type { Flag, FlagRecord, Rule } from '@tidegate/contracts';
import { TARGETING_KEY, targetingKeyOf } from './attribute.ts';
import { firstHash } from './bucket.ts';
import { compileCondition, type Surroundings } from './condition.ts';
import { type Details, failed, type FlagMetadata, type Reason } from './details.ts';
import { LEAST } from './murmur3.ts';
import { type PrerequisiteFlag, servePrerequisites } from './prerequisite.ts';
import { divide, type Serve, serveByHash, type UnitBy, unitsOf } from './split.ts';

/** Answers are made once and shared, so that serving one allocates nothing. */
export interface CompiledFlag {
  /** What `typeof` says of every value of the flag; `none` if it cannot be evaluated. */
  readonly valueType: 'boolean' | 'string' | 'number' | 'object' | 'none';
  readonly metadata: FlagMetadata;
  readonly isDisabled: boolean;
  /** It answers everyone alike. */
  readonly isStatic: boolean;
  readonly serve: Serve;
}

export type LiveFlag = FlagRecord & { readonly flag: Flag };

/** What a flag refers to, ready to be used. */
export interface FlagSurroundings extends Surroundings {
  readonly prerequisites: readonly PrerequisiteFlag[];
}

/** A sentence instead, if the flag cannot be evaluated. What a disabled flag would do if it were enabled does not matter. */
export function compileFlag(record: LiveFlag, around: FlagSurroundings): CompiledFlag | string {
  const { definition, disabled } = record.flag;
  const valueType = definition.type === 'mode' ? 'string' : definition.type;
  const answers = new Answers(record);
  const { metadata } = answers;
  if (disabled === undefined) return compileEnabled(record, answers, valueType, around);
  const off = answers.of(definition.offVariant, 'DISABLED');
  if (answers.missing !== undefined) return answers.missing;
  return { valueType, metadata, isDisabled: true, isStatic: true, serve: () => off };
}

/** Answers everyone with the problem, which is a sentence. */
export function brokenFlag(record: LiveFlag, problem: string): CompiledFlag {
  const metadata = metadataOf(record);
  const error = Object.freeze(failed(undefined, 'PARSE_ERROR', problem, metadata));
  return { valueType: 'none', metadata, isDisabled: false, isStatic: true, serve: () => error };
}

function compileEnabled(
  record: LiveFlag,
  answers: Answers,
  valueType: CompiledFlag['valueType'],
  around: FlagSurroundings,
): CompiledFlag | string {
  const { definition } = record.flag;
  const { offVariant, exposure, allowedUsers, deniedUsers } = definition;
  const { prerequisites } = around;
  // Senders of an older version leave out what they do not know.
  const rules = definition.rules ?? [];
  const isListed = allowedUsers.length + deniedUsers.length > 0;
  const isTargeted =
    isListed || rules.length > 0 || prerequisites.some(({ compiled }) => !compiled.isStatic);
  let serve = serveExposure(record.flag, answers, isTargeted);
  for (const [index, rule] of [...rules.entries()].reverse())
    serve = serveRule(rule, index + 1, record.flag, answers, around, serve);
  if (isListed) serve = serveLists(definition, answers, serve);
  const off = (prerequisite: string) =>
    answers.of(offVariant, 'PREREQUISITE_FAILED', answers.metadataWith({ prerequisite }));
  if (prerequisites.length > 0)
    serve = servePrerequisites(record.key, prerequisites, off, answers.metadata, serve);
  else answers.expect(offVariant);
  if (answers.missing !== undefined) return answers.missing;
  const { percentage, split } = exposure;
  const isUndivided = percentage === NONE || (percentage === FULL && !split);
  const isStatic = !isTargeted && isUndivided;
  return { valueType, metadata: answers.metadata, isDisabled: false, isStatic, serve };
}

function serveLists(
  { allowedUsers, deniedUsers, defaultVariant, exposure }: Flag['definition'],
  answers: Answers,
  next: Serve,
): Serve {
  const denied = new Set(deniedUsers);
  const allowed = new Set(allowedUsers);
  const whenDenied = answers.of(defaultVariant, 'TARGETING_MATCH');
  const whenAllowed = answers.of(exposure.variant, 'TARGETING_MATCH');
  return (context) => {
    const key = targetingKeyOf(context);
    if (key !== undefined) {
      if (denied.has(key)) return whenDenied;
      if (allowed.has(key)) return whenAllowed;
    }
    return next(context);
  };
}

function serveRule(
  { name, when, variant, split }: Rule,
  number: number,
  { salt }: Flag,
  answers: Answers,
  around: Surroundings,
  next: Serve,
): Serve {
  const rule = answers.metadataWith({ rule: name ?? number });
  if (split === undefined) {
    const answer = answers.of(variant ?? '', 'TARGETING_MATCH', rule);
    if (when === undefined) return () => answer;
    const holds = compileCondition(when, around);
    return (context) => (holds(context) ? answer : next(context));
  }
  const divided = serveByHash(
    unitsOf(split, variantPrefix(salt)),
    divide(split.weights, (part) => answers.of(part, 'SPLIT', rule)),
    () => answers.lacking(split, rule),
  );
  if (when === undefined) return divided;
  const holds = compileCondition(when, around);
  return (context) => (holds(context) ? divided(context) : next(context));
}

/** Whom the exposure covers and what they are served are decided by different hashes, or the shares would be skewed. */
const exposurePrefix = (salt: string): string => `${salt}.`;
const variantPrefix = (salt: string): string => `${salt}.variant.`;

function serveExposure(
  { definition: { defaultVariant, exposure }, salt }: Flag,
  answers: Answers,
  isTargeted: boolean,
): Serve {
  const { variant, percentage, split, by } = exposure;
  const outside = answers.of(
    defaultVariant,
    percentage > NONE ? 'SPLIT' : isTargeted ? 'DEFAULT' : 'STATIC',
  );
  answers.expect(variant);
  if (percentage <= NONE) return () => outside;
  const isDivided = split !== undefined || percentage < FULL;
  const inside = answers.of(variant, isDivided || isTargeted ? 'SPLIT' : 'STATIC');
  const unit = by === undefined ? {} : { by };
  const lacking = () => answers.lacking(unit);
  const covered: Serve = split
    ? serveByHash(
        unitsOf(unit, variantPrefix(salt)),
        divide(split, (part) => answers.of(part, 'SPLIT')),
        lacking,
      )
    : () => inside;
  if (percentage >= FULL) return covered;
  const end = LEAST + firstHash(percentage, FULL);
  const { unitOf, hash } = unitsOf(unit, exposurePrefix(salt));
  return (context) => {
    const unit = unitOf(context);
    if (unit === undefined) return lacking();
    if (hash(unit) >= end) return outside;
    return split === undefined ? inside : covered(context);
  };
}

/** Makes the answers of one flag, and remembers if one was asked for that it does not have. */
class Answers {
  readonly metadata: FlagMetadata;
  /** A sentence that names the variant that there is not. */
  missing: string | undefined;
  readonly #key: string;
  readonly #variants: Readonly<Record<string, unknown>>;

  constructor(record: LiveFlag) {
    const { type, variants } = record.flag.definition;
    this.#key = record.key;
    this.metadata = metadataOf(record);
    this.#variants = type === 'object' ? (frozenCopy(variants) as typeof variants) : variants;
  }

  of(variant: string, reason: Reason, flagMetadata = this.metadata): Details {
    this.expect(variant);
    return Object.freeze({ value: this.#variants[variant], variant, reason, flagMetadata });
  }

  expect(variant: string): void {
    if (!Object.hasOwn(this.#variants, variant))
      this.missing ??= `The flag ${this.#key} has no variant "${variant}".`;
  }

  /** That the context has nothing that tells units apart. */
  lacking({ by = TARGETING_KEY, input }: UnitBy, metadata = this.metadata): Details {
    const names = input?.flatMap((part) => (typeof part === 'string' ? [] : [part.attribute]));
    const message = `The flag ${this.#key} tells units apart by ${(names ?? [by]).join(' and ')}: expected a text or a whole number, and the context has none.`;
    return failed(undefined, 'TARGETING_KEY_MISSING', message, metadata);
  }

  metadataWith(more: FlagMetadata): FlagMetadata {
    return Object.freeze({ ...this.metadata, ...more });
  }
}

function metadataOf({ epoch, version, flag: { hold, definition } }: LiveFlag): FlagMetadata {
  const { metadata } = definition;
  if (hold === undefined) return Object.freeze({ ...metadata, epoch, version });
  const rollout = hold.rollout.id;
  const { step } = hold;
  const ofRollout = { rollout, ...(step === undefined ? {} : { step }) };
  return Object.freeze({ ...metadata, epoch, version, ...ofRollout });
}

/** Values are shared by all callers: what one of them does to its object must not reach the next. */
function frozenCopy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return Object.freeze(value.map(frozenCopy));
  return Object.freeze(
    Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, frozenCopy(inner)])),
  );
}
