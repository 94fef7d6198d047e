import { type FlagDefinition, flagDefinition, flagKey } from '@tidegate/contracts';
import { resolveRefs } from './evaluators.ts';
import { type FlagdProblem, isObject, type Json, type Report, shown } from './problems.ts';
import { rulesOf } from './rules.ts';
import { Work } from './work.ts';

export interface ImportedFlag {
  readonly key: string;
  readonly definition: FlagDefinition;
  /** It is off in flagd. */
  readonly isDisabled: boolean;
}

export interface FlagdImport {
  readonly flags: readonly ImportedFlag[];
  /** A flag with a problem is not among the flags: nothing is guessed. */
  readonly problems: readonly FlagdProblem[];
}

/** Of one flag: who has that many has another problem. */
const MAX_PROBLEMS = 100;
/** Of one flag, and of all together: parts of shared rules written out, and steps in which rules are made of them. */
const MAX_STEPS = 50_000;
const MAX_WORK = 500_000;
const TOO_MUCH = {
  where: '',
  what: `the flags up to this one take more than ${MAX_WORK} steps to write out; import fewer flags at once`,
};

/**
 * Flags as flagd would answer them, from the JSON that flagd reads (`flags`, `$evaluators`, `metadata`). Each keeps its
 * key and its buckets, so nobody gets another variant by moving. All the problems of a flag are told at once.
 */
export function importFlagd(configuration: unknown): FlagdImport {
  const read = [...readFlagd(configuration)];
  return {
    flags: read.flatMap(({ flags }) => flags),
    problems: read.flatMap(({ problems }) => problems),
  };
}

/** The same flag by flag, for who has other things to do in between. */
export function* readFlagd(configuration: unknown): Generator<FlagdImport, void> {
  const flags = isObject(configuration) ? configuration['flags'] : undefined;
  if (!isObject(configuration) || !isObject(flags)) {
    yield { flags: [], problems: [{ where: '', what: 'expected an object with `flags`' }] };
    return;
  }
  const shared: Shared = {
    evaluators: jsonOf(configuration['$evaluators']),
    metadata: jsonOf(configuration['metadata']),
    work: new Work(MAX_WORK),
  };
  for (const [key, flag] of Object.entries(flags)) yield readOne(key, flag, shared);
}

function readOne(key: string, flag: unknown, shared: Shared): FlagdImport {
  if (shared.work.isSpent) return { flags: [], problems: [{ flag: key, ...TOO_MUCH }] };
  const problems: FlagdProblem[] = [];
  const report: Report = (where, what) => {
    if (problems.length < MAX_PROBLEMS) problems.push({ flag: key, where, what });
  };
  const written = isObject(flag) ? readFlag(key, flag, shared, report) : undefined;
  if (shared.work.isSpent) return { flags: [], problems: [{ flag: key, ...TOO_MUCH }] };
  if (written === undefined) report('', `${shown(flag)}: expected a flag`);
  const definition = problems.length === 0 ? definitionOf(written, report) : undefined;
  if (!definition) return { flags: [], problems };
  const isDisabled = jsonOf(flag)['state'] === 'DISABLED';
  return { flags: [{ key, definition, isDisabled }], problems };
}

const jsonOf = (value: unknown): Json => (isObject(value) ? value : {});

interface Shared {
  readonly evaluators: Json;
  readonly metadata: Json;
  readonly work: Work;
}

/** As `flagDefinition` reads it; what it says against it is a problem, too: too many rules, for instance. */
function definitionOf(written: unknown, report: Report): FlagDefinition | undefined {
  const definition = flagDefinition.safeParse(written);
  if (definition.success) return definition.data;
  for (const { path, message } of definition.error.issues) report(path.join('.'), message);
  return undefined;
}

function readFlag(key: string, flag: Json, shared: Shared, report: Report): Json {
  const { state, defaultVariant, targeting } = flag;
  const variants = jsonOf(flag['variants']);
  const validKey = flagKey.safeParse(key);
  if (!validKey.success) report('', `the key ${validKey.error.issues[0]?.message ?? ''}`);
  if (state !== 'ENABLED' && state !== 'DISABLED')
    report('state', `${shown(state)}: expected "ENABLED" or "DISABLED"`);
  const type = typeOf(variants, report);
  const codeDefault = freeName(variants);
  const byDefault =
    typeof defaultVariant === 'string' && defaultVariant !== '' ? defaultVariant : codeDefault;
  if (byDefault !== codeDefault && !Object.hasOwn(variants, byDefault))
    report('defaultVariant', `there is no variant "${byDefault}"`);
  const all = { ...variants, [codeDefault]: null };
  const served = { variants, defaultVariant: byDefault };
  const scope = { flagKey: key, report, work: new Work(MAX_STEPS, shared.work) };
  const isTargeted = targeting !== undefined && targeting !== null && !isEmpty(targeting);
  const logic = resolveRefs(targeting, shared.evaluators, 'targeting', report, shared.work);
  return {
    type,
    variants: all,
    defaultVariant: byDefault,
    offVariant: codeDefault,
    exposure: { variant: exposed(variants, byDefault), percentage: 0 },
    rules: isTargeted ? rulesOf(logic, 'targeting', served, scope) : [],
    metadata: metadataOf({ ...shared.metadata, ...jsonOf(flag['metadata']) }, report),
  };
}

const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;

function typeOf(variants: Json, report: Report): string {
  const types = [
    ...new Set(Object.values(variants).map((value) => (value === null ? 'null' : typeof value))),
  ];
  const [type] = types;
  if (types.length > 1) report('variants', `values of different types: ${types.join(', ')}`);
  if (type === undefined) report('variants', 'expected at least one variant');
  return type ?? 'boolean';
}

/** Of the variant that stands for the default which the code asks with. */
function freeName(variants: Json): string {
  let name = 'code-default';
  for (let i = 2; Object.hasOwn(variants, name); i += 1) name = `code-default-${i}`;
  return name;
}

/** What a rollout would open to more people: another variant than the default. Nobody has it by the import. */
function exposed(variants: Json, byDefault: string): string {
  const others = Object.keys(variants).filter((variant) => variant !== byDefault);
  return others.find((variant) => variants[variant] === true) ?? others[0] ?? byDefault;
}

function metadataOf(written: Json, report: Report): Json | undefined {
  for (const [name, value] of Object.entries(written))
    if (!['string', 'number', 'boolean'].includes(typeof value))
      report(`metadata.${name}`, `${shown(value)}: expected a text, a number, true or false`);
  return Object.keys(written).length > 0 ? written : undefined;
}
