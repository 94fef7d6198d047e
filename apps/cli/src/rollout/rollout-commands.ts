import { setTimeout as wait } from 'node:timers/promises';
import { AppError, formatDuration } from '@tidegate/kernel';
import type { Command } from 'commander';
import logUpdate from 'log-update';
import type { Client } from '../http/client.ts';
import { patience, watching } from '../http/patience.http.ts';
import { registerApprove } from './approve-command.ts';
import { acting, type Tools, wholeNumber, type World } from '../command.ts';
import { registerExplain } from '../explain/explain-command.ts';
import { table, toned } from '../output/output.ts';
import { type DecisionShown, isOver, type RolloutShown, timeline } from './timeline.ts';

const POLL_MS = 250;
const pathOf = (id: string): string => `/v1/rollouts/${encodeURIComponent(id)}`;

export function registerRollout(program: Command, world: World): void {
  const rollout = program.command('rollout').description('runs of plans');

  rollout
    .command('start <plan>')
    .description('start the newest version of a plan, or another')
    .option('-e, --env <environment>', 'environment', 'production')
    .option('--plan-version <n>', 'a version of the plan', wholeNumber)
    .option('-w, --watch', 'stay and watch; exits with 1 unless it completes')
    .action(
      acting(world, async (tools, plan: string, options: StartOptions) => {
        const { env: environment, planVersion: version } = options;
        const { body } = await tools.client.call<RolloutShown>(
          'metrics-gatekeeper',
          'POST',
          '/v1/rollouts',
          {
            body: { plan, version, environment },
          },
        );
        if (options.watch === true) await watchRollout(tools, body.id);
        else
          tools.out.show(
            body,
            () =>
              `${body.id} is accepted and asks for its flag now. Whether it gets it, and how it goes on: tidegate rollout watch ${body.id}`,
          );
      }),
    );

  rollout
    .command('watch <id>')
    .description('follow a rollout to its end; exits with 1 unless it completes')
    .action(acting(world, (tools, id: string) => watchRollout(tools, id)));

  rollout
    .command('show <id>')
    .description('how a rollout stands')
    .action(
      acting(world, async ({ client, out }, id: string) => {
        const [shown, decisions] = await read(client, id);
        out.show(shown, () => timeline(shown, decisions, Date.now()));
      }),
    );

  rollout
    .command('list')
    .description('rollouts, or only those that are not over')
    .option('--live', 'only those that are not over')
    .action(
      acting(world, async ({ client, out }, { live }: { live?: boolean }) => {
        const query = live === true ? '?live=true' : '';
        const items = await client.all<RolloutShown>('metrics-gatekeeper', `/v1/rollouts${query}`);
        const newest = [...items].sort((a, b) => b.startedAt - a.startedAt);
        out.show({ items: newest }, () =>
          table(
            ['rollout', 'plan', 'environment', 'status', 'step', 'exposure', 'age'],
            newest.map((each) => [
              each.id,
              `${each.plan}@${each.planVersion}`,
              each.environment,
              toned(each.status),
              each.step ?? '',
              each.exposure ?? '',
              formatDuration(Math.max(0, Date.now() - each.startedAt)),
            ]),
            'There are no rollouts.',
          ),
        );
      }),
    );

  rollout
    .command('report <id>')
    .description('what happened and why, in numbers, as markdown')
    .action(
      acting(world, async ({ client, out }, id: string) => {
        const format = out.json ? 'json' : 'markdown';
        const path = `${pathOf(id)}/report?format=${format}`;
        const { body } = await client.call<unknown>('metrics-gatekeeper', 'GET', path);
        out.show(body, () => String(body).trimEnd());
      }),
    );

  registerApprove(rollout, world);
  registerExplain(rollout, world);

  const verbs = {
    pause: 'stop where it is; guards still watch',
    resume: 'go on after a pause',
    promote: 'leave the present step now',
    abort: 'stop for good, and leave the flag as it is',
    rollback: 'put the flag back as it was, now',
  } as const;
  for (const [verb, description] of Object.entries(verbs))
    rollout
      .command(`${verb} <id>`)
      .description(description)
      .requiredOption('-r, --reason <reason>', 'why; it is in the audit log')
      .action(
        acting(world, async ({ client, out }, id: string, { reason }: { reason: string }) => {
          const path = `${pathOf(id)}/${verb}`;
          const { body } = await client.call<RolloutShown>('metrics-gatekeeper', 'POST', path, {
            body: { reason },
          });
          out.show(body, () => `${body.id} is ${toned(body.status)}.`);
        }),
      );
}

interface StartOptions {
  readonly env: string;
  readonly planVersion?: number;
  readonly watch?: boolean;
}

async function read(
  client: Client,
  id: string,
): Promise<readonly [RolloutShown, readonly DecisionShown[]]> {
  const [{ body }, decisions] = await Promise.all([
    client.call<RolloutShown>('metrics-gatekeeper', 'GET', pathOf(id)),
    client.all<DecisionShown>('metrics-gatekeeper', `${pathOf(id)}/decisions`),
  ]);
  return [body, decisions];
}

const watchRollout = (tools: Tools, id: string): Promise<void> =>
  watching(
    tools.world.signal,
    `${id} goes on: tidegate rollout watch ${id}, or rollback, or abort.`,
    () => watch(tools, id),
  );

/** A live picture on a terminal; else a line whenever the state changes, or the last state as JSON. */
async function watch({ client, out, world }: Tools, id: string): Promise<void> {
  const live = !out.json && process.stdout.isTTY;
  const patiently = patience(world.signal);
  let told = '';
  for (;;) {
    const [shown, decisions] = await patiently(() => read(client, id));
    const line = `${shown.status}  ${shown.step ?? ''}  ${shown.exposure ?? ''}`;
    if (live) logUpdate(timeline(shown, decisions, Date.now()));
    else if (!out.json && line !== told) out.line(line);
    told = line;
    if (isOver(shown)) {
      if (live) logUpdate.done();
      else out.show(shown, () => timeline(shown, decisions, Date.now()));
      if (shown.status === 'completed') return;
      throw new AppError('CLI_REFUSED', shown.ended?.message ?? `The rollout is ${shown.status}.`);
    }
    await wait(POLL_MS, undefined, { signal: world.signal });
  }
}
