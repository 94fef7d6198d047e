import type { Health, Reading } from '../target/target.port.ts';
import type { Connections, Values } from './connection.postgres.ts';

interface Node {
  readonly 'Node Type': string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Plans?: readonly Node[];
}

/** An index that is read from end to end only for its order narrows nothing, unless it holds only some of the rows. */
const PARTIAL = `SELECT 1 AS one FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname = $1 AND i.indpred IS NOT NULL`;

export async function readingOf(
  connections: Connections,
  sql: string,
  values: Values,
): Promise<Reading> {
  const { plan, words } = await connections.transaction(async (transaction) => {
    // A small table is read whole, whatever indexes there are: what counts is whether one can be used.
    await transaction.query('SET LOCAL enable_seqscan = off');
    const [json] = await transaction.query(`EXPLAIN (FORMAT JSON) ${sql}`, values);
    const lines = await transaction.query(`EXPLAIN (COSTS OFF) ${sql}`, values);
    const [{ Plan }] = JSON.parse(json?.['QUERY PLAN'] ?? '') as [{ Plan: Node }];
    return { plan: Plan, words: lines.map((line) => line['QUERY PLAN']?.trim()).join('; ') };
  });
  for (const node of nodesOf(plan)) {
    const index = node['Index Name'];
    if (index === undefined) continue;
    if (node['Index Cond'] !== undefined) return { index, detail: words };
    if ((await connections.query(PARTIAL, [index])).length > 0) return { index, detail: words };
  }
  return { detail: words };
}

const nodesOf = (node: Node): readonly Node[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

const ACTIVITY = `
  SELECT count(*) FILTER (WHERE state = 'active' AND pid <> pg_backend_pid()) AS load,
    count(*) FILTER (WHERE wait_event_type = 'Lock') AS waiting,
    pg_size_pretty(pg_database_size(current_database())) AS size
  FROM pg_stat_activity WHERE datname = current_database()`;
const REPLICATION = `
  SELECT count(*) AS standbys, max(extract(epoch FROM replay_lag)) * 1000 AS lag FROM pg_stat_replication`;

export async function healthOf(connections: Connections): Promise<Health> {
  const [activity] = await connections.query(ACTIVITY);
  const [replication] = await connections.query(REPLICATION);
  const load = Number(activity?.['load']);
  const waiting = Number(activity?.['waiting']);
  const standbys = Number(replication?.['standbys']);
  const lag = replication?.['lag'] ?? null;
  return {
    load,
    waiting,
    ...(lag === null ? {} : { replicationLagMs: Number(lag) }),
    detail: [
      `${load} other active connections, ${waiting} that wait for a lock`,
      `the database has ${activity?.['size']}; the server does not tell how much is free`,
      standbys === 0
        ? 'no standby is seen: without one, or without the role pg_monitor, there is no replication lag to tell'
        : `${standbys} standbys${lag === null ? ', which are up to date or idle' : `, ${Math.round(Number(lag))} ms behind at most`}`,
    ],
  };
}
