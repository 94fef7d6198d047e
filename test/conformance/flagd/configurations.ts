import fc from 'fast-check';

/**
 * Flag configurations of flagd, and contexts that meet them: few names and values, so that they meet often. ASCII only:
 * flagd-core does not hash other letters as UTF-8, as flagd itself and Tidegate do.
 */
const TEXTS = [
  '',
  'a',
  'b',
  'ab',
  'a@x.com',
  '5',
  '0',
  ' 7 ',
  '1.2.3',
  'v1.2',
  '1.2.3-rc.1',
  'true',
  'null',
];
const NUMBERS = [0, 1, 5, -1, 1.5, 1.2, 7];
const ATTRIBUTES = ['email', 'age', 'plan', 'app.version', 'user.name', 'targetingKey'];
const VARIANTS = ['on', 'off', 'true', 'false', 'Big One', '5'];

const text = fc.constantFrom(...TEXTS);
const scalar = fc.oneof(text, fc.constantFrom(...NUMBERS), fc.boolean());
const attribute = fc.constantFrom(...ATTRIBUTES);
const variable = fc.oneof(
  { weight: 4, arbitrary: attribute.map((name) => ({ var: name })) },
  attribute.map((name) => ({ var: [name] })),
  fc.tuple(attribute, scalar).map(([name, fallback]) => ({ var: [name, fallback] })),
);
const flagKeyOr = <T>(other: fc.Arbitrary<T>) =>
  fc.oneof(
    { weight: 9, arbitrary: other },
    { weight: 1, arbitrary: fc.constant({ var: '$flagd.flagKey' }) },
  );
const versionOperator = fc.constantFrom('=', '!=', '<', '<=', '>', '>=', '^', '~', '?');
const version = fc.oneof(
  text,
  fc.constantFrom('1.2.3', '1.2.4', 'v1', '1.3', '2.0.0-beta', 1, 1.2),
);

const operation = (name: string, ...args: fc.Arbitrary<unknown>[]) =>
  fc.tuple(...args).map((parts) => ({ [name]: parts }));
const loosely = fc
  .constantFrom('==', '!=', '<', '<=', '>', '>=')
  .chain((name) => operation(name, variable, scalar));
const range = fc
  .constantFrom('<', '<=')
  .chain((name) => operation(name, fc.constantFrom(0, 1, -1), variable, fc.constantFrom(1, 5, 7)));
const constantFirst = fc
  .constantFrom('==', '<', '>=')
  .chain((name) => operation(name, scalar, variable));
const strictly = fc
  .constantFrom('===', '!==')
  .chain((name) => fc.oneof(operation(name, variable, scalar), operation(name, scalar, variable)));
const ofNull = fc
  .constantFrom('==', '!=', '===', '!==')
  .map((name) => name)
  .chain((name) => operation(name, variable, fc.constant(null)));
const holds = fc.oneof(
  operation('in', variable, fc.array(fc.oneof(scalar, fc.constant(null)), { maxLength: 4 })),
  operation('in', scalar, variable),
  operation('in', variable, text),
);
const ofText = fc
  .constantFrom('starts_with', 'ends_with')
  .chain((name) => operation(name, flagKeyOr(variable), fc.oneof(text, scalar)));
const ofVersion = fc.oneof(
  operation('sem_ver', variable, versionOperator, version),
  operation('sem_ver', version, versionOperator, variable),
);

const conditions = fc.letrec<{ condition: unknown }>((tie) => {
  const some = fc.array(tie('condition'), { minLength: 0, maxLength: 3 });
  const negated = fc.oneof(
    tie('condition'),
    tie('condition').map((each) => [each]),
  );
  return {
    condition: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      { weight: 4, arbitrary: loosely },
      fc.oneof(range, constantFirst),
      strictly,
      ofNull,
      { weight: 3, arbitrary: holds },
      ofText,
      ofVersion,
      variable,
      some.map((parts) => ({ and: parts })),
      some.map((parts) => ({ or: parts })),
      negated.map((part) => ({ '!': part })),
      negated.map((part) => ({ '!!': part })),
      fc.array(tie('condition'), { maxLength: 5 }).map((parts) => ({ if: parts })),
      fc.tuple(fc.oneof(strictly, loosely), fc.boolean()).map((parts) => ({ '==': parts })),
      fc.constantFrom({ $ref: 'first' }, { $ref: 'second' }),
      scalar,
    ),
  };
});
export const condition = conditions.condition;

const variant = fc.constantFrom(...VARIANTS);
const share = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(variant, fc.nat({ max: 100 })) },
  fc.tuple(variant),
  fc.tuple(fc.oneof(variant, fc.constant(null)), fc.constantFrom(1, 0, -3, 2 ** 30, 2 ** 31 - 1)),
  fc.tuple(
    condition.map((when) => ({ if: [when, 'on', 'off'] })),
    fc.nat({ max: 5 }),
  ),
);
const seed = fc.oneof(
  fc.constant([]),
  fc
    .array(
      flagKeyOr(
        fc.oneof(
          attribute.map((name) => ({ var: name })),
          scalar,
        ),
      ),
      { minLength: 1, maxLength: 3 },
    )
    .map((cat) => [{ cat }]),
  // Never a list: flagd takes that for a share.
  fc.constant([{ var: 'unit' }]),
  text.map((each) => [each]),
);
const fractional = fc
  .tuple(seed, fc.array(share, { maxLength: 4 }))
  .map(([by, shares]) => ({ fractional: [...by, ...shares] }));

const outcomes = fc.letrec<{ outcome: unknown }>((tie) => ({
  outcome: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    { weight: 3, arbitrary: variant },
    fc.constantFrom(null, true, false, 5),
    { weight: 2, arbitrary: fractional },
    condition,
    fc.tuple(condition, tie('outcome'), tie('outcome')).map((parts) => ({ if: parts })),
    fc
      .tuple(condition, tie('outcome'), condition, tie('outcome'), tie('outcome'))
      .map((parts) => ({ if: parts })),
    fc.tuple(condition, tie('outcome')).map((parts) => ({ if: parts })),
    fc
      .array(fc.oneof(strictly, loosely, variant), { maxLength: 3 })
      .map((parts) => ({ and: parts })),
    fc
      .array(fc.oneof(strictly, loosely, variant), { maxLength: 3 })
      .map((parts) => ({ or: parts })),
  ),
}));

const VALUES = {
  boolean: (i: number): unknown => i % 2 === 0,
  string: (i: number): unknown => `value ${i}`,
  number: (i: number): unknown => i - 2,
  object: (i: number): unknown => ({ list: [i] }),
} as const;
export type ValueType = keyof typeof VALUES;

export interface Configured {
  readonly type: ValueType;
  readonly key: string;
  readonly configuration: {
    readonly flags: Readonly<Record<string, unknown>>;
    readonly $evaluators: Readonly<Record<string, unknown>>;
  };
}

export const configured: fc.Arbitrary<Configured> = fc
  .record({
    type: fc.constantFrom<ValueType>('boolean', 'string', 'number', 'object'),
    key: fc.constantFrom('checkout', 'newBanner', 'a.b_C-1'),
    state: fc.constantFrom('ENABLED', 'ENABLED', 'ENABLED', 'ENABLED', 'DISABLED'),
    defaultVariant: fc.constantFrom('on', 'off', 'Big One', null, undefined),
    targeting: fc.oneof(
      { weight: 8, arbitrary: outcomes.outcome.filter((logic) => typeof logic === 'object') },
      fc.constantFrom({}, undefined),
    ),
    first: condition,
    second: fc.oneof(loosely, strictly, ofText),
  })
  .map(({ type, key, state, defaultVariant, targeting, first, second }) => {
    const variants = Object.fromEntries(VARIANTS.map((name, i) => [name, VALUES[type](i)]));
    const flag = { state, variants, defaultVariant, targeting, metadata: { team: 'pay' } };
    return { type, key, configuration: { flags: { [key]: flag }, $evaluators: { first, second } } };
  });

const value = fc.oneof(
  { weight: 8, arbitrary: scalar },
  fc.constant(null),
  // Of a list below `!` the interpreter of flagd-core looks at the first entry.
  fc.array(scalar, { maxLength: 2 }).filter(([first]) => first === undefined || Boolean(first)),
);
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

/** Where a rule expects an object: of 0, false and "" the engines of flagd-core make different things. */
const holder = value.filter((each) => Boolean(each));

/** As JSON brings it: what is undefined is not there. */
export const context = fc
  .record({
    unit: optional(fc.oneof(scalar, fc.constant(null))),
    email: optional(value),
    age: optional(value),
    plan: optional(value),
    app: optional(fc.oneof(fc.record({ version: optional(value) }), holder)),
    user: optional(fc.oneof(fc.record({ name: optional(value) }), holder)),
    targetingKey: optional(fc.oneof(text, fc.string({ maxLength: 6 }))),
  })
  .map((each) => JSON.parse(JSON.stringify(each)) as Record<string, unknown>);
