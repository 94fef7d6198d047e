import { formatDuration } from '@tidegate/kernel';
import type { Command } from 'commander';
import { acting, type World } from '../command.ts';
import { onOneLine, table, time, toned } from '../output/output.ts';

interface LogEntry {
  readonly at: number;
  readonly status: string;
  readonly run: string;
  readonly action: string;
  readonly by?: string;
  readonly reason?: string;
  readonly acceptChange?: string;
  readonly hash: string;
  readonly counts?: { readonly changed: number };
  readonly tookMs?: number;
  readonly code?: string;
  readonly message?: string;
}

/** Of a hash, enough to tell texts apart. */
const HASH_SHOWN = 15;

export function registerLog(migration: Command, world: World): void {
  migration
    .command('log <id>')
    .description('what was done with a migration: by whom, when, with which text')
    .action(
      acting(world, async ({ client, out }, id: string) => {
        const path = `/v1/migrations/${encodeURIComponent(id)}/log`;
        const { body } = await client.call<{ items: LogEntry[] }>('migration-runner', 'GET', path);
        out.show(body, () =>
          table(
            ['at', 'what', 'action', 'run', 'text', 'changed', 'took', 'why'],
            body.items.map(rowOf),
            'Nothing has run yet.',
          ),
        );
      }),
    );
}

const rowOf = (entry: LogEntry): readonly (string | number)[] => [
  time(entry.at),
  toned(entry.status),
  entry.action,
  entry.run,
  entry.hash.slice(0, HASH_SHOWN),
  entry.counts?.changed ?? '',
  entry.tookMs === undefined ? '' : formatDuration(entry.tookMs),
  onOneLine(whyOf(entry)) ?? '',
];

function whyOf({ by, reason, acceptChange, code, message }: LogEntry): string {
  if (code !== undefined) return `${code}: ${message}`;
  const changed = acceptChange === undefined ? '' : ` (changed text: ${acceptChange})`;
  const who = by === undefined ? '' : `by ${by}`;
  return `${who}${reason === undefined ? '' : `: ${reason}`}${changed}`;
}
