import { defineMigration } from '@tidegate/migration';

type Phase = 'quoted' | 'in-flight' | 'settled' | 'failed' | 'expired';
type State = 'UNPAID' | 'PENDING' | 'PAID' | 'FAILED' | 'EXPIRED';

/** A document of `operations`. Amounts are whole, in the unit of the mint. */
type Operation = {
  readonly _id: unknown;
  readonly wallet: string;
  readonly mint: string;
  readonly kind: string;
  readonly amount: number;
  readonly fee: number;
  /** What programs without atomic melts read and write. */
  readonly state?: string;
  readonly quote?: string;
  readonly createdAt: Date;
  readonly operation?: {
    readonly version: number;
    /** The same for every attempt at the same operation. */
    readonly key: string;
    readonly phase: Phase;
    readonly startedAt: Date;
    readonly atomic: boolean;
    /** Begun by a program without atomic melts, and to be finished the way it began. */
    readonly legacy?: boolean;
  };
};

const PHASES: Readonly<Record<State, Phase>> = {
  UNPAID: 'quoted',
  PENDING: 'in-flight',
  PAID: 'settled',
  FAILED: 'failed',
  EXPIRED: 'expired',
};

function phaseOf({ state, operation }: Operation): Phase {
  if (operation) return operation.phase;
  const phase = Object.hasOwn(PHASES, String(state)) ? PHASES[state as State] : undefined;
  if (phase === undefined) throw new Error(`there is no phase for the state "${state}"`);
  return phase;
}

/** What the operation does to the balance of its wallet at its mint; what is in flight is spent already. */
function effectOf(operation: Operation): bigint {
  const [amount, fee] = [BigInt(operation.amount), BigInt(operation.fee)];
  const phase = phaseOf(operation);
  if (operation.kind === 'mint' || operation.kind === 'receive')
    return phase === 'settled' ? amount : 0n;
  if (phase !== 'settled' && phase !== 'in-flight') return 0n;
  return operation.kind === 'swap' ? -fee : -(amount + fee);
}

const balance = {
  name: 'balance',
  of: effectOf,
  by: ({ wallet, mint }: Operation) => `${wallet} at ${mint}`,
};
const amountsAreWhole = {
  name: 'amounts-are-whole-and-not-negative',
  holds: ({ amount, fee }: Operation) =>
    [amount, fee].every((each) => Number.isSafeInteger(each) && each >= 0),
};

export default defineMigration<Operation>({
  id: 'melt-legacy-operations',
  description:
    'Marks melts that were begun without being atomic, so that they are finished the way they began.',
  target: 'wallets',
  collection: 'operations',
  dependsOn: ['melt-operation-metadata'],
  filter: { kind: { equals: 'melt' }, 'operation.version': { equals: 2 } },
  pending: { 'operation.legacy': { equals: null } },
  reads: ['wallet', 'mint', 'kind', 'amount', 'fee', 'state', 'operation'],
  up: (document) =>
    document.operation && document.operation.legacy == null
      ? { ...document, operation: { ...document.operation, legacy: !document.operation.atomic } }
      : document,
  down: ({ operation, ...document }) => {
    if (!operation) return document;
    const { legacy: _legacy, ...rest } = operation;
    return { ...document, operation: rest };
  },
  invariants: [
    amountsAreWhole,
    {
      name: 'atomic-melts-are-not-legacy',
      holds: ({ operation }) => !(operation?.legacy === true && operation.atomic),
    },
  ],
  preserved: [balance],
  groupBy: ({ operation, mint }) => `${operation?.phase} at ${mint}`,
  mapping: ({ operation }) =>
    operation?.legacy == null ? 'melt' : operation.legacy ? 'legacy melt' : 'atomic melt',
  samples: [
    {
      _id: '1',
      wallet: 'w1',
      mint: 'https://mint.example.com',
      kind: 'melt',
      amount: 2_100,
      fee: 3,
      state: 'PAID',
      quote: 'q1',
      createdAt: new Date('2025-03-01T08:00:00Z'),
      operation: {
        version: 2,
        key: 'w1:q1',
        phase: 'settled',
        startedAt: new Date('2025-03-01T08:00:00Z'),
        atomic: false,
      },
    },
    {
      _id: '2',
      wallet: 'w2',
      mint: 'https://mint.example.com',
      kind: 'melt',
      amount: 2_100,
      fee: 3,
      state: 'PENDING',
      quote: 'q2',
      createdAt: new Date('2025-03-01T08:00:00Z'),
      operation: {
        version: 2,
        key: 'w2:q2',
        phase: 'in-flight',
        startedAt: new Date('2025-03-01T08:00:00Z'),
        atomic: false,
      },
    },
  ],
});
