import { between, hexId, pick, type Random, seeded } from '../random.ts';

/** A document as programs without atomic melts write it. */
export interface LegacyOperation {
  readonly _id: string;
  readonly wallet: string;
  readonly mint: string;
  readonly kind: (typeof KINDS)[number];
  readonly amount: number;
  readonly fee: number;
  readonly state: string;
  readonly quote?: string;
  readonly createdAt: Date;
}

const KINDS = ['mint', 'receive', 'melt', 'melt', 'send', 'swap'] as const;
const STATES = ['PAID', 'PAID', 'PAID', 'PENDING', 'FAILED', 'UNPAID', 'EXPIRED'];
const MINTS = [
  'https://mint-a.example.com',
  'https://mint-b.example.com',
  'https://mint-c.example.com',
];
const WALLETS = 40;
const FIRST = Date.UTC(2023, 0, 1);
const MINUTE = 60_000;
/** Among them amounts that no 32-bit integer holds. */
const MOST = [100, 50_000, 3_000_000_000, 2_100_000_000_000_000];

/** @param strangers share of operations in a state that no program knows */
export function* operations(
  count: number,
  { seed, strangers = 0 }: { readonly seed: number; readonly strangers?: number },
): Generator<LegacyOperation> {
  const random = seeded(seed);
  for (let n = 1; n <= count; n += 1) {
    const operation = operationOf(random, n);
    yield random() < strangers ? { ...operation, state: 'LOST' } : operation;
  }
}

function operationOf(random: Random, n: number): LegacyOperation {
  const kind = pick(random, KINDS);
  return {
    _id: hexId(n),
    wallet: `wallet-${between(random, 1, WALLETS)}`,
    mint: pick(random, MINTS),
    kind,
    amount: between(random, 1, pick(random, MOST)),
    fee: between(random, 0, 20),
    state: pick(random, STATES),
    ...(kind === 'mint' || kind === 'melt' ? { quote: `quote-${n}` } : {}),
    createdAt: new Date(FIRST + between(random, 0, 1_500_000) * MINUTE),
  };
}

/** What each wallet has at each mint, by the rules of programs without atomic melts: written a second time, for tests. */
export function balances(
  all: Iterable<Pick<LegacyOperation, 'wallet' | 'mint' | 'kind' | 'amount' | 'fee' | 'state'>>,
): Map<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const { wallet, mint, kind, amount, fee, state } of all) {
    const isIncoming = kind === 'mint' || kind === 'receive';
    const isOutgoing = kind === 'melt' || kind === 'send';
    let effect = 0n;
    if (isIncoming && state === 'PAID') effect = BigInt(amount);
    if (!isIncoming && ['PAID', 'PENDING'].includes(state))
      effect = -BigInt(fee) - (isOutgoing ? BigInt(amount) : 0n);
    const group = `${wallet} at ${mint}`;
    sums.set(group, (sums.get(group) ?? 0n) + effect);
  }
  return sums;
}
