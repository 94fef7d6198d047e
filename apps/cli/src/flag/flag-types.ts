import { shapeOf } from './shape.ts';

/** What of a flag its types are made from. */
export interface TypedFlag {
  readonly key: string;
  readonly flag: {
    readonly definition: {
      readonly type: string;
      readonly variants: Readonly<Record<string, unknown>>;
      readonly defaultVariant: string;
      readonly offVariant: string;
      readonly owner?: string;
      readonly description?: string;
    };
  };
}

/** One flag, as it is written down. */
interface Entry {
  /** The key as a literal. */
  readonly key: string;
  /** What it is called as a method. */
  readonly method: string;
  readonly about: string;
  readonly type: string;
  readonly otherwise: string;
  readonly answer: string;
}

/** TypeScript for the flags of an environment: the same text for the same flags, whatever their order. */
export function flagTypes(environment: string, flags: readonly TypedFlag[]): string {
  const sorted = flags.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const methods = methodNames(sorted.map(({ key }) => key));
  const entries = sorted.map((flag) => entryOf(flag, methods.get(flag.key) ?? flag.key));
  const lines = (line: (entry: Entry) => string): string => entries.map(line).join('\n');
  const has = (type: string): boolean =>
    sorted.some(({ flag: { definition } }) => definition.type === type);
  return `// Made by \`tidegate flag types --env ${environment}\`: make it again, do not edit it.
import type { EvaluationContext${has('mode') ? ', Mode' : ''}, Tidegate } from '@tidegate/sdk';

/** The flags of ${environment}, with what each answers. */
export interface Flags {
${lines(({ about, key, type }) => `${about}  readonly ${key}: ${type};`)}
}

export type FlagKey = keyof Flags;

/** What a flag answers while it cannot be evaluated: the value of its off variant, or what stands for it where that is null. */
export const flagDefaults: Flags = {
${lines(({ key, otherwise }) => `  ${key}: ${otherwise},`)}
};

/** Each flag by its name. */
export interface TypedFlags {
${lines(({ about, method, key }) => `${about}  ${method}(context?: EvaluationContext): Flags[${key}];`)}
}

export function typedFlags(client: Tidegate): TypedFlags {
  return {
${lines(({ method, answer }) => `    ${method}: (context) => ${answer},`)}
  };
}
${has('string') ? KNOWN : ''}`;
}

const KNOWN = `
/** A value that is newer than this file counts as the default. */
const known = <V extends string>(value: string, values: readonly V[], otherwise: V): V =>
  values.find((each) => each === value) ?? otherwise;
`;

function entryOf({ key: name, flag: { definition } }: TypedFlag, method: string): Entry {
  const { type, variants, description, owner } = definition;
  const key = JSON.stringify(name);
  const otherwise = otherwiseOf(definition);
  const answers = Object.values(variants).filter(isAnswer);
  const values = answers.length > 0 ? answers : [otherwise];
  const asked = `client.${type}(${key}, flagDefaults[${key}], context)`;
  const literals = [...new Set(values.map((value) => JSON.stringify(value)))].toSorted();
  return {
    key,
    method,
    about: comment([description, owner && `Owner: ${owner}`]),
    type: { mode: 'Mode', string: literals.join(' | '), object: shapeOf(values) }[type] ?? type,
    otherwise: JSON.stringify(otherwise),
    answer:
      type === 'string' ? `known(${asked}, [${literals.join(', ')}], flagDefaults[${key}])` : asked,
  };
}

/** A variant of null leaves the answer to the program. */
const isAnswer = (value: unknown): boolean => value !== null && value !== undefined;

/** The value of the off variant. Where that is null: off, for what can be; else what a flag that is on answers first. */
function otherwiseOf({
  type,
  variants,
  offVariant,
  defaultVariant,
}: TypedFlag['flag']['definition']): unknown {
  const candidates = [
    variants[offVariant],
    OFF[type],
    variants[defaultVariant],
    ...Object.values(variants),
    EMPTY[type],
  ];
  return candidates.find(isAnswer);
}

const OFF: Readonly<Record<string, unknown>> = { boolean: false, mode: 'off' };
const EMPTY: Readonly<Record<string, unknown>> = { string: '', number: 0, object: {} };

function comment(parts: readonly (string | undefined)[]): string {
  const text = parts.filter(Boolean).join(' ').replaceAll(/\s+/g, ' ').replaceAll('*/', '* /');
  return text === '' ? '' : `  /** ${text} */\n`;
}

/** `checkout-v2` is `checkoutV2`; keys that would share a name, or make none, keep their own, quoted. */
function methodNames(keys: readonly string[]): ReadonlyMap<string, string> {
  const names = keys.map((key) => [key, camelCase(key)] as const);
  return new Map(
    names.map(([key, name]) => {
      const isShared = names.some((other) => other[1] === name && other[0] !== key);
      return [key, isShared || !/^[a-z]/.test(name) ? JSON.stringify(key) : name];
    }),
  );
}

const camelCase = (key: string): string =>
  key.replaceAll(/[._-]+(.?)/g, (_, next: string) => next.toUpperCase());
