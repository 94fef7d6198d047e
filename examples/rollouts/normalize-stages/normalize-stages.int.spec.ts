import type { PlanReport } from '@tidegate/contracts';
import { afterAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import pg from 'pg';
import { openServerIfAny } from '../../../test/servers/servers.ts';
import { type Documents, objectId, openMongoDatabase } from '../testing/mongo.ts';
import { hexId } from '../random.ts';
import { openRunner } from '../testing/runner.ts';
import { pipelines } from './pipelines.ts';

jest.setTimeout(400_000);

const SEED = Number(process.env['SEED'] ?? 7);
const COUNT = 2_000;
const data = (options: object = {}, count = COUNT) => [
  ...pipelines(count, { seed: SEED, ...options }),
];

const countsOf = (stages: readonly string[]): Record<string, number> =>
  Object.fromEntries(
    [...new Set(stages)].map((stage) => [stage, stages.filter((each) => each === stage).length]),
  );
const sumOf = (distribution: object): number =>
  Object.values(distribution).reduce((sum: number, share: number) => sum + share, 0);

const postgres = await openServerIfAny('postgres', { own: true });
const pool = new pg.Pool({ connectionString: postgres?.url, max: 2 });
const mongo = await openMongoDatabase();
afterAll(async () => {
  await pool.end();
  await postgres?.stop();
  await mongo?.[Symbol.asyncDispose]();
});

(postgres ? describe : describe.skip)('normalize-stages on PostgreSQL', () => {
  const all = async () => (await pool.query('SELECT * FROM pipelines ORDER BY id')).rows;
  const insert = async (rows: ReturnType<typeof data>) => {
    await pool.query(
      `INSERT INTO pipelines (department, stage, shares)
       SELECT r->>'department', r->>'stage', r->'shares' FROM jsonb_array_elements($1::jsonb) r`,
      [JSON.stringify(rows)],
    );
  };
  const open = () =>
    openRunner('normalize-stages', {
      reporting: postgres?.url ?? '',
      recruiting: mongo?.url ?? '',
    });

  beforeEach(async () => {
    await pool.query('DROP TABLE IF EXISTS pipelines');
    await pool.query(
      'CREATE TABLE pipelines (id bigserial PRIMARY KEY, department text NOT NULL, stage text NOT NULL, shares jsonb NOT NULL)',
    );
  });

  it('is planned, executed in batches of 5 000, verified, cut over and taken back', async () => {
    const pipelines = data();
    await insert(pipelines);
    const before = await all();
    const { run, report } = await open();

    await run('pipelines-distribution-columns', 'execute');
    const planned = (await report(await run('normalize-stages', 'plan'))) as PlanReport;
    expect(planned).toMatchObject({ matched: COUNT, pending: COUNT, wouldChange: COUNT });
    const perStage = Object.fromEntries(
      planned.groups.map(({ group, pending }) => [group, pending]),
    );
    expect(perStage).toEqual(countsOf(pipelines.map(({ stage }) => stage)));
    expect(planned.mapping.map(({ from }) => from).toSorted()).toEqual(
      Object.keys(perStage).toSorted(),
    );

    const executed = await run('normalize-stages', 'execute', { batchSize: 5_000 });
    expect(executed.counts).toMatchObject({ changed: COUNT });
    const now = await all();
    for (const { distribution } of now)
      expect(Math.abs(1 - sumOf(distribution as object))).toBeLessThanOrEqual(1e-6);
    await run('normalize-stages', 'verify', { sampleSize: 500 });
    await run('normalize-stages-cutover', 'cutover');

    await run('normalize-stages-cutover', 'revert');
    await run('normalize-stages', 'revert');
    await run('pipelines-distribution-columns', 'revert');
    expect(await all()).toEqual(before);
  });

  it('lists what cannot be normalized, with its reason', async () => {
    await insert(data({ strangers: 0.02 }));
    const { run } = await open();
    await run('pipelines-distribution-columns', 'execute');
    const executed = await run('normalize-stages', 'execute', { onError: 'skip' });
    const left = (await all()).filter(({ distribution }) => distribution === null);
    expect(left.length).toBeGreaterThan(0);
    expect(executed.failures?.map(({ key }) => Number(key))).toEqual(
      left.map(({ id }) => Number(id)),
    );
    for (const { message } of executed.failures ?? [])
      expect(message).toMatch(/is no name of a stage|add up to nothing|has the share -1/);
  });
});

(mongo ? describe : describe.skip)('normalize-stages on a MongoDB-wire server', () => {
  let collection: Documents;
  const all = () => collection.find().sort({ _id: 1 }).toArray();

  beforeEach(async () => {
    collection = mongo?.collection('pipelines') as Documents;
    await collection.drop();
  });

  it('makes the same of documents, and can be taken back', async () => {
    const before = data({}, 400).map((pipeline, n) => ({
      _id: objectId(hexId(n + 1)),
      ...pipeline,
    }));
    await collection.insertMany(before);
    const { run } = await openRunner('normalize-stages', {
      reporting: postgres?.url ?? 'sqlite:unused.db',
      recruiting: mongo?.url ?? '',
    });
    await run('pipelines-distribution-index', 'execute');
    await run('normalize-stages-documents', 'execute', { batchSize: 5_000 });
    const now = await all();
    expect(now.every(({ stage_key }) => typeof stage_key === 'string')).toBe(true);
    for (const { distribution } of now)
      expect(Math.abs(1 - sumOf(distribution as object))).toBeLessThanOrEqual(1e-6);
    await run('normalize-stages-documents', 'verify', { sampleSize: 500 });
    await run('normalize-stages-documents', 'revert');
    expect(await all()).toEqual(before);
  });
});
