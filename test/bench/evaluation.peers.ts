import { GrowthBookClient } from '@growthbook/growthbook';
import launchDarkly, { type LDClient } from '@launchdarkly/node-server-sdk';
import { TestData } from '@launchdarkly/node-server-sdk/integrations';
import { FlagdCore } from '@openfeature/flagd-core';
import { EventEmitter } from 'node:events';
import { Unleash } from 'unleash-client';
import {
  type Case,
  contexts,
  COUNTRIES,
  keysOf,
  parentOf,
  parents,
  PLAN,
  SHARES,
  users,
} from './evaluation.cases.ts';

/** A peer that holds the flags of a case, each apart, as it would have got them from a server. */
export interface Peer {
  /** What it wants to know of each user, in their order. */
  readonly contexts: readonly unknown[];
  /** JavaScript that evaluates `key` for `context` with `peer`, in its own words. */
  readonly expression: string;
  readonly peer: unknown;
  close?(): void | Promise<void>;
}
export type OpenPeer = (of: Case, count: number) => Peer | undefined | Promise<Peer | undefined>;

const COUNTRY = { var: 'country' };
const flagdTargeting = {
  simple: undefined,
  targeted: {
    if: [
      { '===': [{ var: 'plan' }, PLAN] },
      'on',
      { in: [COUNTRY, COUNTRIES] },
      {
        fractional: [
          ['on', 50],
          ['off', 50],
        ],
      },
      'off',
    ],
  },
  split: { fractional: SHARES.map(({ variant, weight }) => [variant, weight]) },
};

export function flagdConfiguration(of: Exclude<Case, 'prerequisite'>, count: number): string {
  const flag = {
    state: 'ENABLED',
    variants: of === 'split' ? { a: 'a', b: 'b', c: 'c' } : { on: true, off: false },
    defaultVariant: of === 'split' ? 'c' : 'on',
    targeting: flagdTargeting[of],
  };
  return JSON.stringify({ flags: Object.fromEntries(keysOf(count).map((key) => [key, flag])) });
}

const flagd: OpenPeer = (of, count) => {
  // It knows no prerequisites.
  if (of === 'prerequisite') return undefined;
  const peer = new FlagdCore();
  peer.setConfigurations(flagdConfiguration(of, count));
  const expression =
    of === 'split'
      ? `peer.resolveStringEvaluation(key, '', context).value`
      : `peer.resolveBooleanEvaluation(key, false, context).value`;
  return { peer, contexts, expression };
};

const unleash: OpenPeer = (of, count) => {
  const flexible = (rollout: string, constraints: unknown[], variants: unknown[] = []) => ({
    name: 'flexibleRollout',
    parameters: { rollout, stickiness: 'userId', groupId: 'bench' },
    constraints,
    variants,
  });
  const isIn = (contextName: string, values: string[]) => ({
    contextName,
    operator: 'IN',
    values,
    inverted: false,
    caseInsensitive: false,
  });
  const shares = SHARES.map(({ variant, weight }) => ({
    name: variant,
    weight: weight * 10,
    payload: { type: 'string', value: variant },
    stickiness: 'userId',
  }));
  const targeting = [
    flexible('100', [isIn('plan', [PLAN])]),
    flexible('50', [isIn('country', COUNTRIES)]),
  ];
  const everyone = [{ name: 'default', parameters: {}, constraints: [] }];
  const strategies = {
    simple: everyone,
    targeted: targeting,
    split: [flexible('100', [], shares)],
    prerequisite: targeting,
  }[of];
  const feature = (name: string, index: number) => ({
    name,
    enabled: true,
    strategies,
    ...(of === 'prerequisite' ? { dependencies: [{ feature: parentOf(index) }] } : {}),
  });
  const toggles = new Map<string, unknown>([
    ...keysOf(count).map((key, index) => [key, structuredClone(feature(key, index))] as const),
    ...parents.map((name) => [name, { name, enabled: true, strategies: everyone }] as const),
  ]);
  const repository = Object.assign(new EventEmitter(), {
    getToggle: (name: string) => toggles.get(name),
    getToggles: () => [...toggles.values()],
    getTogglesWithSegmentData: () => [...toggles.values()],
    getSegment: () => undefined,
    start: async () => undefined,
    stop: () => undefined,
  });
  const peer = new Unleash({
    appName: 'bench',
    url: 'http://localhost/',
    disableMetrics: true,
    skipInstanceCountWarning: true,
    repository: repository as never,
  });
  repository.emit('ready');
  const expression =
    of === 'split' ? `peer.getVariant(key, context).name` : `peer.isEnabled(key, context, false)`;
  return {
    peer,
    contexts: users.map(({ key, country, plan }) => ({
      userId: key,
      properties: { country, plan },
    })),
    expression,
    close: () => peer.destroy(),
  };
};

const growthbook: OpenPeer = (of, count) => {
  const targeting = [
    { condition: { plan: PLAN }, force: true },
    {
      condition: { country: { $in: COUNTRIES } },
      force: true,
      coverage: 0.5,
      hashAttribute: 'id',
      hashVersion: 2,
    },
  ];
  const share = {
    variations: SHARES.map(({ variant }) => variant),
    weights: SHARES.map(({ weight }) => weight / 100),
    coverage: 1,
    hashAttribute: 'id',
    hashVersion: 2,
  };
  const gate = (index: number) => ({
    parentConditions: [{ id: parentOf(index), condition: { value: true }, gate: true }],
  });
  const feature = (index: number) =>
    ({
      simple: { defaultValue: true },
      targeted: { defaultValue: false, rules: targeting },
      split: { defaultValue: 'c', rules: [share] },
      prerequisite: { defaultValue: false, rules: [gate(index), ...targeting] },
    })[of];
  const features = Object.fromEntries([
    ...keysOf(count).map((key, index) => [key, structuredClone(feature(index))] as const),
    ...parents.map((key) => [key, { defaultValue: true }] as const),
  ]);
  const peer = new GrowthBookClient().initSync({ payload: { features } });
  const own = users.map(({ key, country, plan }) => ({ attributes: { id: key, country, plan } }));
  return {
    peer,
    contexts: own,
    expression: `peer.evalFeature(key, context).value`,
    close: () => peer.destroy(),
  };
};

const launchdarkly: OpenPeer = async (of, count) => {
  const clause = (attribute: string, values: string[]) => ({
    attribute,
    op: 'in',
    values,
    contextKind: 'user',
    negate: false,
  });
  const targeting = [
    { id: 'plan', clauses: [clause('plan', [PLAN])], variation: 0 },
    {
      id: 'country',
      clauses: [clause('country', COUNTRIES)],
      rollout: {
        contextKind: 'user',
        variations: [
          { variation: 0, weight: 50_000 },
          { variation: 1, weight: 50_000 },
        ],
      },
    },
  ];
  const shares = SHARES.map(({ weight }, variation) => ({ variation, weight: weight * 1_000 }));
  const flag = (key: string, index: number) => ({
    key,
    version: 1,
    on: true,
    salt: 'bench',
    targets: [],
    variations: of === 'split' ? ['a', 'b', 'c'] : [true, false],
    offVariation: 1,
    rules: of === 'targeted' || of === 'prerequisite' ? targeting : [],
    fallthrough:
      of === 'split'
        ? { rollout: { contextKind: 'user', variations: shares } }
        : { variation: of === 'simple' ? 0 : 1 },
    prerequisites: of === 'prerequisite' ? [{ key: parentOf(index), variation: 0 }] : [],
  });
  const data = new TestData();
  const everyone = { rules: [], prerequisites: [], fallthrough: { variation: 0 } };
  await Promise.all([
    ...keysOf(count).map((key, index) =>
      data.usePreconfiguredFlag(structuredClone(flag(key, index))),
    ),
    ...parents.map((key) => data.usePreconfiguredFlag({ ...flag(key, 0), ...everyone })),
  ]);
  const peer: LDClient = launchDarkly.init('bench', {
    updateProcessor: data.getFactory(),
    sendEvents: false,
    diagnosticOptOut: true,
    logger: launchDarkly.basicLogger({ level: 'none' }),
  });
  await peer.waitForInitialization({ timeout: 30 });
  return {
    peer,
    contexts: users.map((user) => ({ kind: 'user', ...user })),
    // Its answers come as promises, whatever holds the flags.
    expression: `await peer.variation(key, context, false)`,
    close: () => {
      peer.close();
    },
  };
};

export const peers: Readonly<Record<string, OpenPeer>> = {
  'flagd-core': flagd,
  'unleash-client': unleash,
  growthbook,
  launchdarkly,
};
