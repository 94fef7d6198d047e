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

/** The phase says the same, so nothing is lost. */
const stateOf = (phase: Phase): State | undefined =>
  (Object.keys(PHASES) as State[]).find((state) => PHASES[state] === phase);

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
  id: 'melt-state-cleanup',
  phase: 'cleanup',
  description: 'Takes the old state away, which only programs without atomic melts read.',
  target: 'wallets',
  collection: 'operations',
  dependsOn: ['atomic-melt-cutover'],
  filter: { 'operation.version': { equals: 2 } },
  pending: { state: { exists: true } },
  reads: ['wallet', 'mint', 'kind', 'amount', 'fee', 'operation'],
  up: ({ state, ...document }) => {
    const phase = document.operation?.phase;
    if (state !== undefined && PHASES[state as State] !== phase)
      throw new Error(`the state "${state}" is not what the phase ${phase} says`);
    return document;
  },
  down: (document) => {
    const state = document.operation && stateOf(document.operation.phase);
    return state === undefined ? document : { ...document, state };
  },
  invariants: [
    amountsAreWhole,
    {
      name: 'operation-has-a-phase',
      holds: ({ operation }) => operation !== undefined && stateOf(operation.phase) !== undefined,
    },
  ],
  preserved: [balance],
  groupBy: ({ kind, mint }) => `${kind} at ${mint}`,
  mapping: ({ state, operation }) => state ?? `phase ${operation?.phase}`,
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
        legacy: true,
      },
    },
    {
      _id: '2',
      wallet: 'w2',
      mint: 'https://mint.example.com',
      kind: 'mint',
      amount: 2_100,
      fee: 3,
      state: 'EXPIRED',
      createdAt: new Date('2025-03-01T08:00:00Z'),
      operation: {
        version: 2,
        key: 'w2:q2',
        phase: 'expired',
        startedAt: new Date('2025-03-01T08:00:00Z'),
        atomic: false,
      },
    },
  ],
});
