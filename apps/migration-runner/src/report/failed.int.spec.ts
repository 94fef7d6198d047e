import { describe, expect, it } from '@jest/globals';
import { migrationReport } from '@tidegate/contracts';
import { AppError } from '@tidegate/kernel';
import type { Migration } from '@tidegate/migration';
import type { Run } from '../run/run.ts';
import { runnerWorld, type Wrap, totals } from '../run/runner-world.contract.ts';

const failsAt = (id: number, message: string): Migration => ({
  ...totals,
  up: (order) => {
    if (order['id'] === id) throw new Error(message);
    return totals.up(order);
  },
});
const reportOf = (run: Run) =>
  migrationReport.parse(run.status === 'failed' ? run.report : undefined);

describe('an execute that fails', () => {
  it('reports what it had done, and why it stopped', async () => {
    const world = runnerWorld(20, failsAt(13, 'thirteen'));
    const run = await world.run('m-1', 'execute');
    expect(run).toMatchObject({ status: 'failed', code: 'MIGRATION_UP_FAILED' });
    expect(reportOf(run)).toMatchObject({
      verdict: 'no-go',
      matched: 20,
      changed: 10,
      pending: 10,
      batches: 2,
      rollback: expect.arrayContaining([expect.stringContaining('revert')]),
      findings: [{ level: 'stop', code: 'stopped', message: expect.stringContaining('thirteen') }],
    });
  });

  it('reports it also when the database does not even count any more', async () => {
    const world = runnerWorld(20, totals);
    let isBroken = false;
    const broken = (): never => {
      throw new AppError('MIGRATION_TARGET_FAILED', 'The table is gone.');
    };
    const wrap: Wrap = (target) => {
      let writes = 0;
      return {
        ...target,
        count: async (of) => (isBroken ? broken() : target.count(of)),
        write: async (...of) => {
          writes += 1;
          isBroken = writes === 3;
          return isBroken ? broken() : target.write(...of);
        },
      };
    };
    await world.ask('m-1', 'execute');
    await world.start({ wrap }).advance('m-1');
    const report = reportOf(await world.state('m-1'));
    expect(report).toMatchObject({
      changed: 10,
      findings: [{ code: 'stopped' }, { code: 'not-counted' }],
    });
    expect(report).not.toHaveProperty('pending');
  });

  it('ends once, however long the message of up is', async () => {
    const world = runnerWorld(3, failsAt(1, `bad ${'x'.repeat(1_500_000)}`));
    const run = await world.run('m-1', 'execute');
    expect(run).toMatchObject({ status: 'failed', code: 'MIGRATION_UP_FAILED' });
    expect(run.status === 'failed' && run.message.length).toBeLessThan(3_000);
  });
});
