import type { PlanReport, VerifyReport } from '@tidegate/contracts';
import { afterAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Documents, objectId, openMongoDatabase } from '../testing/mongo.ts';
import { openRunner } from '../testing/runner.ts';
import { balances, type LegacyOperation, operations } from './operations.ts';

jest.setTimeout(400_000);

const SEED = Number(process.env['SEED'] ?? 7);
const COUNT = 500;
const database = await openMongoDatabase();
afterAll(async () => {
  await database?.[Symbol.asyncDispose]();
});

const STATES: Readonly<Record<string, string>> = {
  quoted: 'UNPAID',
  'in-flight': 'PENDING',
  settled: 'PAID',
  failed: 'FAILED',
  expired: 'EXPIRED',
};

/** What the runner itself has added up, per wallet and mint. */
const checksumsOf = ({ preserved: [balance] }: Pick<PlanReport, 'preserved'>) =>
  new Map(balance?.groups.map(({ group, sum }) => [group, BigInt(sum)]));

(database ? describe : describe.skip)('atomic-melt-support on a MongoDB-wire server', () => {
  let collection: Documents;
  const all = () => collection.find().sort({ _id: 1 }).toArray();
  /** By the rules of before, also where only the phase is there any more. */
  const balancesNow = async () =>
    balances(
      (await all()).map(
        (document) =>
          ({
            ...document,
            state: document['state'] ?? STATES[document['operation']?.phase],
          }) as unknown as LegacyOperation,
      ),
    );

  beforeEach(async () => {
    collection = database?.collection('operations') as Documents;
    await collection.drop();
  });

  it('goes through all its phases and back without changing a balance', async () => {
    const before = [...operations(COUNT, { seed: SEED })].map((operation) => ({
      ...operation,
      _id: objectId(operation._id),
    }));
    await collection.insertMany(before);
    const melts = before.filter(({ kind }) => kind === 'melt').length;
    const expected = balances(before);
    const { run, ended, report } = await openRunner('atomic-melt-support', {
      wallets: database?.url ?? '',
    });

    await run('melt-operations-indexes', 'execute');
    const planned = (await report(await run('melt-operation-metadata', 'plan'))) as PlanReport;
    expect(planned).toMatchObject({ pending: COUNT, wouldChange: COUNT });
    expect(checksumsOf(planned)).toEqual(expected);
    expect(await all()).toEqual(before);

    for (const [migration, changed] of [
      ['melt-operation-metadata', COUNT],
      ['melt-legacy-operations', melts],
    ] as const) {
      const executed = await run(migration, 'execute', { onFailure: 'revert' });
      expect(executed.counts).toMatchObject({ changed });
      expect(await balancesNow()).toEqual(expected);
      const verified = (await report(await run(migration, 'verify'))) as VerifyReport;
      expect(verified).toMatchObject({ pending: 0, broken: 0, mismatches: [] });
    }
    expect(await collection.countDocuments({ 'operation.legacy': true })).toBe(melts);

    expect(await ended('melt-state-cleanup', 'execute').catch(String)).toContain(
      'atomic-melt-cutover',
    );
    await run('atomic-melt-cutover', 'cutover');
    await run('melt-state-cleanup', 'execute');
    expect(await collection.countDocuments({ state: { $exists: true } })).toBe(0);
    expect(await balancesNow()).toEqual(expected);
    await run('melt-state-cleanup', 'verify');

    await run('melt-state-cleanup', 'revert');
    await run('atomic-melt-cutover', 'revert');
    await run('melt-legacy-operations', 'revert');
    await run('melt-operation-metadata', 'revert');
    expect(await all()).toEqual(before);
  });
});
