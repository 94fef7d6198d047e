import type { PlanReport } from '@tidegate/contracts';
import { afterAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Documents, objectId, openMongoDatabase } from '../testing/mongo.ts';
import { openRunner } from '../testing/runner.ts';
import { applications } from './applications.ts';
import migration from './migrations/2-application-stages.ts';

jest.setTimeout(400_000);

const SEED = Number(process.env['SEED'] ?? 7);
const COUNT = 250;
const database = await openMongoDatabase();
afterAll(async () => {
  await database?.[Symbol.asyncDispose]();
});

const documentsOf = (options: object = {}) =>
  [...applications(COUNT, { seed: SEED, ...options })].map((application) => ({
    ...application,
    _id: objectId(application._id),
  }));

(database ? describe : describe.skip)('dynamic-stages on a MongoDB-wire server', () => {
  let collection: Documents;
  const all = () => collection.find().sort({ _id: 1 }).toArray();
  /** What programs that know nothing of stages read. */
  const byStatus = async () => {
    const counts = new Map<string, number>();
    for (const { status } of await all())
      counts.set(String(status), (counts.get(String(status)) ?? 0) + 1);
    return counts;
  };
  const open = () => openRunner('dynamic-stages', { recruiting: database?.url ?? '' });
  const stages = 'application-stages';

  beforeEach(async () => {
    collection = database?.collection('applications') as Documents;
    await collection.drop();
  });

  it('is planned, executed, verified, cut over and taken back to the very documents of before', async () => {
    const before = documentsOf();
    await collection.insertMany(before);
    const statuses = await byStatus();
    const runner = await open();

    expect(await runner.ended(stages, 'execute').catch(String)).toContain(
      'application-stages-indexes',
    );
    await runner.run('application-stages-indexes', 'execute');
    const names = (await collection.indexes()).map(({ name }) => name);
    expect(names).toContain('applications_by_stages_version');

    const plan = await runner.run(stages, 'plan');
    const planned = (await runner.report(plan)) as PlanReport;
    expect(planned).toMatchObject({ matched: COUNT, pending: COUNT, wouldChange: COUNT });
    expect(new Map(planned.groups.map(({ group, pending }) => [group, pending]))).toEqual(statuses);
    const { bytesBefore, bytesAfter, limitBytes, overLimit } = planned.size;
    const stagesMade = before.flatMap((each) => migration.up(each as never).stages ?? []).length;
    const perStage = (bytesAfter - bytesBefore) / stagesMade;
    expect(perStage).toBeGreaterThan(1_000);
    expect(perStage).toBeLessThan(2_500);
    expect({ limitBytes, overLimit }).toEqual({ limitBytes: 16 * 2 ** 20, overLimit: 0 });
    expect(await all()).toEqual(before);
    expect(await runner.markdown(plan)).toContain('status-is-the-legacy-reading-of-stages');

    const executed = await runner.run(stages, 'execute', { batchSize: 200 });
    expect(executed.counts).toMatchObject({ changed: COUNT });
    expect(await all()).toEqual(before.map((application) => migration.up(application as never)));
    expect(await byStatus()).toEqual(statuses);

    const verified = await runner.run(stages, 'verify', { sampleSize: 50 });
    expect(await runner.report(verified)).toMatchObject({ pending: 0 });
    await runner.run('application-stages-cutover', 'cutover');

    await runner.run('application-stages-cutover', 'revert');
    await runner.run(stages, 'revert');
    expect(await all()).toEqual(before);
    await runner.run('application-stages-indexes', 'revert');
    expect(await collection.indexes()).toHaveLength(1);
  });

  it('lists the applications whose status nobody knows, and leaves them as they are', async () => {
    const before = documentsOf({ strangers: 0.05 });
    await collection.insertMany(before);
    const strangers = before.filter(({ status }) => status === 'on hold?');
    const runner = await open();
    await runner.run('application-stages-indexes', 'execute');

    const strict = await runner.ended(stages, 'execute', { batchSize: 200 });
    expect(strict).toMatchObject({ status: 'failed', code: 'MIGRATION_UP_FAILED' });

    const lenient = await runner.run(stages, 'execute', { batchSize: 200, onError: 'skip' });
    expect(lenient.failures).toHaveLength(strangers.length);
    expect(lenient.failures?.[0]?.message).toContain('there is no stage for the status "on hold?"');
    const left = await collection.find({ stagesVersion: null }).sort({ _id: 1 }).toArray();
    expect(left).toEqual(strangers);
  });

  it('takes what programs write while it runs, and overwrites none of it', async () => {
    const before = documentsOf();
    await collection.insertMany(before);
    const runner = await open();
    await runner.run('application-stages-indexes', 'execute');
    const running = runner.run(stages, 'execute', { batchSize: 50 });
    const letters = before.slice(0, 50).map(({ _id }) => _id);
    for (const _id of letters)
      await collection.updateOne({ _id }, { $set: { 'candidate.letter': 'a new letter' } });
    await running;
    await runner.run(stages, 'execute');
    const now = await collection.find({ _id: { $in: letters } }).toArray();
    expect(now.every(({ candidate }) => candidate.letter === 'a new letter')).toBe(true);
    await runner.run(stages, 'verify');
  });
});
