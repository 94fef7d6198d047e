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

/** The flags of the how-tos: one of every type. The first variant is served while a flag is off. */
export const flags = {
  'checkout-v2': {
    ...closed,
    exposure: { variant: 'on', percentage: 0 },
    allowedUsers: ['ada'],
  },
  'team-search': {
    ...closed,
    exposure: { variant: 'on', percentage: 0 },
    rules: [
      {
        name: 'big-teams',
        when: {
          all: [
            { attribute: 'plan', operator: 'in', values: ['pro', 'enterprise'] },
            { attribute: 'seats', operator: 'at-least', value: 10 },
          ],
        },
        variant: 'on',
      },
    ],
  },
  'one-page': {
    ...closed,
    prerequisites: [{ flag: 'checkout-v2', variants: ['on'] }],
    exposure: { variant: 'on', percentage: 100 },
  },
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
