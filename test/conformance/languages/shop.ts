import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const examples = join(import.meta.dirname, '../../../docs/how-to/examples');

/** Users of the shop. */
export const ada = { targetingKey: 'ada', plan: 'pro', seats: 12 } as const;
export const grace = { targetingKey: 'grace', plan: 'free', seats: 1 } as const;

/** Everyone is served the variant. */
const everyone = (type: string, variants: Readonly<Record<string, unknown>>, variant: string) => {
  const [off = ''] = Object.keys(variants);
  return {
    type,
    variants,
    defaultVariant: off,
    offVariant: off,
    exposure: { variant, percentage: 100 },
  };
};

const boolean = { type: 'boolean', variants: { off: false, on: true } } as const;
const closed = { ...boolean, defaultVariant: 'off', offVariant: 'off' } as const;

/** As the how-tos show it. */
const example = (key: string): unknown =>
  JSON.parse(readFileSync(join(examples, `${key}.json`), 'utf8'));

/** The flags of the how-tos: one of every type. The first variant is served while a flag is off. */
export const flags = {
  'checkout-v2': example('checkout-v2'),
  'team-search': example('team-search'),
  'one-page': example('one-page'),
  half: { ...closed, exposure: { variant: 'on', percentage: 50 } },
  banner: everyone('string', { none: 'none', spring: 'spring' }, 'spring'),
  'max-items': everyone('number', { few: 10, many: 25 }, 'many'),
  discount: everyone('number', { none: 0, some: 0.15 }, 'some'),
  retry: everyone(
    'object',
    { once: { attempts: 1 }, patient: { attempts: 3, codes: [502, 503], wait: null } },
    'patient',
  ),
  'address-check': everyone('mode', { off: 'off', warn: 'warn', enforce: 'enforce' }, 'warn'),
} as const;
