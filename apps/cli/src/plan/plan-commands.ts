import { type Plan, readPlan, stepKind, stepName } from '@tidegate/contracts';
import { AppError, formatDuration, formatPercentage } from '@tidegate/kernel';
import type { Command } from 'commander';
import { acting, readText, type World } from '../command.ts';
import { facts, table } from '../output/output.ts';
import { registerFeasibility } from './feasibility-command.ts';
import { registerRehearse } from './rehearse-command.ts';

export function registerPlan(program: Command, world: World): void {
  const plan = program.command('plan').description('plans of rollouts');

  plan
    .command('validate <file>')
    .description('check a plan without a server; every problem with its line ("-": standard input)')
    .action(
      acting(world, async ({ out }, file: string) => {
        const read = await validPlan(file);
        out.show({ valid: true, plan: read.plan.plan }, () => human(read.plan));
      }),
    );

  plan
    .command('put <file>')
    .description('store a plan as a new version')
    .action(
      acting(world, async ({ client, out }, file: string) => {
        const { plan, text } = await validPlan(file);
        const path = `/v1/plans/${encodeURIComponent(plan.plan)}`;
        const { body } = await client.call<{ version: number }>('metrics-gatekeeper', 'PUT', path, {
          text,
        });
        out.show(body, () => `${plan.plan} is at version ${body.version}.`);
      }),
    );

  registerFeasibility(plan, world);
  registerRehearse(plan, world);

  plan
    .command('list')
    .description('plans and their newest versions')
    .action(
      acting(world, async ({ client, out }) => {
        const items = await client.all<{ plan: string; version: number }>(
          'metrics-gatekeeper',
          '/v1/plans',
        );
        out.show({ items }, () =>
          table(
            ['plan', 'version'],
            items.map((each) => [each.plan, each.version]),
            'There are no plans yet.',
          ),
        );
      }),
    );
}

/** Thrown PLAN_INVALID with one line a problem: `file:line:column: path: what was expected`. */
async function validPlan(file: string): Promise<{ plan: Plan; text: string }> {
  const text = await readText(file);
  const read = readPlan(text);
  if ('plan' in read) return { plan: read.plan, text };
  const lines = read.problems.map(
    ({ line, column, path, message }) =>
      `${file}:${line}:${column}: ${path === '' ? '' : `${path}: `}${message}`,
  );
  throw new AppError('PLAN_INVALID', lines.join('\n'), { data: { problems: read.problems } });
}

const human = (plan: Plan): string =>
  [
    facts([
      ['plan', plan.plan],
      ['about', plan.description],
      ['flag', plan.flag],
      ['risk', `${plan.risk * 100} % that a healthy rollout is rolled back`],
      ['checked', `every ${formatDuration(plan.checkEvery)}`],
    ]),
    '',
    table(
      ['step', 'kind', 'opens', 'holds'],
      plan.steps.map((step) => [
        stepName(step),
        stepKind(step),
        'stage' in step && step.percentage !== undefined ? formatPercentage(step.percentage) : '',
        'stage' in step ? formatDuration(step.hold) : '',
      ]),
      '',
    ),
    '',
    table(
      ['guard', 'judge', 'metric', 'limit'],
      plan.guards.map((guard) => [guard.name, guard.judge, guard.metric, limitOf(guard)]),
      'No guards: nothing but people will roll this back.',
    ),
  ].join('\n');

function limitOf(guard: Plan['guards'][number]): string {
  if (guard.judge === 'split') return '';
  if (guard.judge !== 'sequential')
    return guard.below === undefined ? `above ${guard.above ?? 0}` : `below ${guard.below}`;
  return [
    guard.limit === undefined ? '' : `${guard.limit * 100} %`,
    guard.margin === undefined ? '' : `baseline + ${guard.margin * 100} %`,
  ]
    .filter((part) => part !== '')
    .join(', ');
}
