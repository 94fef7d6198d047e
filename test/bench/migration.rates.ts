import { about, type Bed } from './migration.bed.ts';
import { PAGE } from './migration.database.ts';
import { migrateMongo } from './migration.peer.ts';

/** ROUNDS: the median of so many is taken. */
const ROUNDS = Number(process.env['ROUNDS'] ?? 3);

interface Subject {
  readonly subject: string;
  readonly what: string;
  /** Of the bare loop, at least, %. */
  readonly limit?: number;
  run(): Promise<number>;
}

const WITHOUT = 'executed without before-images';
const WITH = 'executed with before-images';
const WHOLE = ', whole documents compared';

const subjectsOf = (bed: Bed): readonly Subject[] => {
  const { name, folder, database } = bed;
  const peer = () => migrateMongo(folder, database.url, PAGE);
  const ours = (what: string, migration: string, backup: string, limit?: number): Subject => ({
    subject: 'tidegate',
    what,
    run: () => execute(bed, migration, backup),
    ...(limit === undefined ? {} : { limit }),
  });
  return [
    { subject: 'bare loop', what: 'executed', run: () => timed(bed, () => database.bare(PAGE)) },
    ...(name === 'mongo' ? [{ subject: 'migrate-mongo', what: 'executed', run: peer }] : []),
    ours(WITHOUT, 'orders', 'none', 70),
    ours(WITH, 'orders', 'before-images', 40),
    ours(WITHOUT + WHOLE, 'orders-whole', 'none'),
    ours(WITH + WHOLE, 'orders-whole', 'before-images'),
  ];
};

/** Turn by turn, each on orders that were loaded anew: what is compared has had the same machine. */
export async function rates(bed: Bed, kilobytes: number): Promise<void> {
  const { name, documents, database, figure } = bed;
  const subjects = subjectsOf(bed);
  const took = subjects.map((): number[] => []);
  const others: Record<string, number[]> = { plan: [], verify: [], revert: [] };
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [index, { what, run }] of subjects.entries()) {
      await database.load(documents, kilobytes);
      if (what === WITH) others['plan']?.push(await action(bed, 'plan'));
      took[index]?.push(await run());
      const left = await database.pending();
      if (left > 0) throw new Error(`${left} of ${documents} were left: ${what}`);
      if (what !== WITH) continue;
      others['verify']?.push(await action(bed, 'verify'));
      others['revert']?.push(await revert(bed));
    }
  const of = about(name, documents, kilobytes);
  const perSecond = took.map((times) => (documents * 1_000) / median(times));
  for (const [index, { subject, what, limit }] of subjects.entries()) {
    const value = perSecond[index] ?? 0;
    figure(`${of}: ${what}`, value, 'documents/s', subject);
    if (subject !== 'tidegate') continue;
    const share = `${of}: ${what}: share of the bare loop`;
    figure(share, (100 * value) / (perSecond[0] ?? 0), '%');
    if (limit !== undefined && kilobytes === 1) figure(share, limit, '%', 'limit');
  }
  for (const [what, times] of Object.entries(others)) figure(`${of}: ${what}`, median(times), 'ms');
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

async function timed(bed: Bed, run: () => Promise<number>): Promise<number> {
  const begun = performance.now();
  mustBeAll(bed, await run());
  return performance.now() - begun;
}

async function execute(bed: Bed, migration: string, backup: string): Promise<number> {
  const { tookMs, changed } = await bed.runner.run(migration, 'execute', { backup });
  mustBeAll(bed, changed);
  return tookMs;
}

const action = async ({ runner }: Bed, what: string): Promise<number> =>
  (await runner.run('orders', what)).tookMs;

async function revert(bed: Bed): Promise<number> {
  const { tookMs } = await bed.runner.run('orders', 'revert', { reason: 'measured' });
  mustBeAll(bed, await bed.database.pending());
  return tookMs;
}

function mustBeAll({ documents }: Bed, count: number): void {
  if (count !== documents) throw new Error(`${count} of ${documents}`);
}
