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
  id: 'melt-operation-metadata',
  description: 'Gives each operation a key, a phase and a version, which atomic melts build on.',
  target: 'wallets',
  collection: 'operations',
  dependsOn: ['melt-operations-indexes'],
  pending: { 'operation.version': { equals: null } },
  reads: ['_id', 'wallet', 'mint', 'kind', 'amount', 'fee', 'state', 'quote', 'createdAt'],
  up: (document) =>
    document.operation
      ? document
      : {
          ...document,
          operation: {
            version: 2,
            key: `${document.wallet}:${document.quote ?? String(document._id)}`,
            phase: phaseOf(document),
            startedAt: document.createdAt,
            atomic: false,
          },
        },
  down: ({ operation: _operation, ...legacy }) => legacy,
  invariants: [
    amountsAreWhole,
    {
      name: 'phase-says-what-state-says',
      holds: ({ state, operation }) => !operation || PHASES[state as State] === operation.phase,
    },
  ],
  preserved: [balance],
  groupBy: ({ kind, mint }) => `${kind} at ${mint}`,
  mapping: ({ state, operation }) => operation?.phase ?? String(state),
  samples: [
    {
      _id: '1',
      wallet: 'w1',
      mint: 'https://mint.example.com',
      kind: 'mint',
      amount: 2_100,
      fee: 3,
      state: 'PAID',
      quote: 'q1',
      createdAt: new Date('2025-03-01T08:00:00Z'),
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
    },
    {
      _id: '3',
      wallet: 'w3',
      mint: 'https://mint.example.com',
      kind: 'swap',
      amount: 2_100,
      fee: 3,
      state: 'FAILED',
      createdAt: new Date('2025-03-01T08:00:00Z'),
    },
  ],
});
