import type { Rule } from '@tidegate/contracts';
import { Option } from 'commander';
import { facts, onOneLine, table, time, toned } from '../output/output.ts';
import { ruleLine } from './rule-line.ts';

interface Scheduled {
  readonly at: number;
  readonly change: string;
  readonly reason: string;
  readonly by: string;
}

/** A flag as the service shows it. */
export interface ShownFlag {
  readonly key: string;
  readonly version: number;
  readonly epoch: number;
  readonly published?: boolean;
  readonly changed?: boolean;
  readonly stale?: readonly { readonly reason: string; readonly since: number }[];
  readonly flag: {
    readonly definition: {
      readonly type: string;
      readonly variants?: Record<string, unknown>;
      readonly defaultVariant: string;
      readonly offVariant: string;
      readonly exposure: {
        readonly variant: string;
        readonly percentage: number;
        readonly split?: readonly { readonly variant: string; readonly weight: number }[];
      };
      readonly allowedUsers: readonly string[];
      readonly deniedUsers?: readonly string[];
      readonly prerequisites?: readonly { readonly flag: string; readonly variants: string[] }[];
      readonly rules?: readonly Rule[];
      readonly owner?: string;
      readonly description?: string;
      readonly tags?: readonly string[];
      readonly expiresAt?: number;
    };
    readonly disabled?: { readonly reason: string; readonly at: number; readonly by: string };
    readonly hold?: { readonly rollout: { readonly id: string } };
    readonly reliedOn?: readonly { readonly id: string }[];
    readonly schedule?: readonly Scheduled[];
  };
}

export interface Place {
  readonly env: string;
}
export interface Reasoned extends Place {
  readonly reason: string;
}

export const envOption = (): Option =>
  new Option('-e, --env <environment>', 'environment').default('production');
export const reasonOption = (): Option =>
  new Option('-r, --reason <reason>', 'why; it is in the audit log').makeOptionMandatory();
export const versionOption = (): Option =>
  new Option('--if-version <version>', 'only if it is still at this version, e.g. 1.4');

export const pathOf = ({ env }: Place, noun: 'flags' | 'segments', key?: string): string =>
  `/v1/environments/${encodeURIComponent(env)}/${noun}${key === undefined ? '' : `/${encodeURIComponent(key)}`}`;

export const ifVersion = (version: string | undefined): Record<string, string> =>
  version === undefined ? {} : { 'if-match': `"${version}"` };

export const stateOf = ({ flag }: ShownFlag): string => (flag.disabled ? 'disabled' : 'enabled');
export const heldBy = ({ flag }: ShownFlag): string =>
  [...(flag.hold ? [flag.hold.rollout] : []), ...(flag.reliedOn ?? [])]
    .map(({ id }) => id)
    .join(', ');

export function exposureOf({ flag }: ShownFlag): string {
  const { percentage, variant, split } = flag.definition.exposure;
  const to = split?.map((part) => `${part.variant} ${part.weight}`).join(' : ') ?? variant;
  return `${percentage} % ${to}`;
}

export const NOT_PUBLISHED = 'not yet: the bus is away, it follows by itself';

export function humanFlag(shown: ShownFlag): string {
  const { definition, disabled, schedule = [] } = shown.flag;
  const { prerequisites = [], rules = [], tags = [], deniedUsers = [] } = definition;
  return facts([
    ['flag', shown.key],
    ['state', toned(stateOf(shown))],
    [
      'disabled',
      disabled && onOneLine(`${disabled.reason} (${disabled.by}, ${time(disabled.at)})`),
    ],
    [
      'needs',
      prerequisites.map(({ flag, variants }) => `${flag} = ${variants.join(' or ')}`).join(', '),
    ],
    ['denied', listed(deniedUsers)],
    ['allowed', listed(definition.allowedUsers)],
    ...rules.map((rule, index) => ['rule', ruleLine(rule, index)] as const),
    ['exposure', `${exposureOf(shown)}${whyUnreached(rules)}`],
    ['else', definition.defaultVariant],
    ['when off', definition.offVariant],
    [
      'variants',
      Object.entries(definition.variants ?? {})
        .map(variantText)
        .join(', '),
    ],
    ['type', definition.type],
    ['held by', heldBy(shown)],
    ['scheduled', schedule.map(scheduledLine).join('; ')],
    ['owner', onOneLine(definition.owner)],
    ['about', onOneLine(definition.description)],
    ['tags', tags.join(', ')],
    ['expires', definition.expiresAt === undefined ? undefined : time(definition.expiresAt)],
    ['version', `${shown.epoch}.${shown.version}`],
    ['published', shown.published === false ? NOT_PUBLISHED : undefined],
  ]);
}

const MOST_LISTED = 10;
const listed = (users: readonly string[]): string =>
  users.length <= MOST_LISTED
    ? users.join(', ')
    : `${users.slice(0, MOST_LISTED).join(', ')} and ${users.length - MOST_LISTED} more`;

const variantText = ([name, value]: readonly [string, unknown]): string =>
  `${name} = ${short(value)}`;

function whyUnreached(rules: readonly Rule[]): string {
  const index = rules.findIndex(({ when }) => when === undefined);
  if (index === -1) return '';
  return `, but nobody gets there: rule ${rules[index]?.name ?? index + 1} decides for everyone`;
}

const scheduledLine = ({ at, change, reason, by }: Scheduled): string =>
  `${change} at ${time(at)}: ${onOneLine(reason)} (${by})`;

export interface Difference {
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

export const changesTable = (changes: readonly Difference[]): string =>
  table(
    ['what', 'before', 'after'],
    changes.map(({ path, before, after }) => [path, short(before), short(after)]),
    'Nothing would be other than it is.',
  );

const WIDEST = 60;
export function short(value: unknown): string {
  if (value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > WIDEST ? `${text.slice(0, WIDEST - 1)}…` : text;
}
