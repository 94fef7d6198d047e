import { type Command, InvalidArgumentError } from 'commander';
import { acting, type Tools, wholeNumber, type World } from '../command.ts';
import { feasibilityTable, type FeasibilityShown } from './feasibility.ts';
import { planAsked } from './rehearse-command.ts';

interface Options {
  readonly env: string;
  readonly planVersion?: number;
  readonly rps?: number;
  readonly errorRate?: number;
}

export function registerFeasibility(plan: Command, world: World): void {
  plan
    .command('feasibility <plan>')
    .description('what each guard of a plan, stored or in a file, can see at each stage')
    .option('-e, --env <environment>', 'environment', 'production')
    .option('--plan-version <n>', 'a version of the plan', wholeNumber)
    .option('--rps <n>', 'requests a second of everybody; measured now if left out', aboveZero)
    .option('--error-rate <share>', 'the share of them that fails now, such as 0.1%', share)
    .action(acting(world, feasibility));
}

async function feasibility({ client, out }: Tools, plan: string, options: Options): Promise<void> {
  const { env: environment, planVersion, rps, errorRate } = options;
  const asked = await planAsked(plan, planVersion);
  const { body } = await client.call<FeasibilityShown>(
    'metrics-gatekeeper',
    'POST',
    `/v1/plans/${encodeURIComponent(asked.name)}/feasibility`,
    { body: { ...asked.body, environment, rps, errorRate } },
  );
  out.show(body, () => feasibilityTable(body));
}

function aboveZero(value: string): number {
  const number = Number(value);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new InvalidArgumentError('Expected a number above 0.');
}

function share(value: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*%$/.exec(value);
  const number = match ? Number(match[1]) / 100 : Number(value);
  if (value !== '' && number >= 0 && number <= 1) return number;
  throw new InvalidArgumentError('Expected a share such as 0.1% or 0.001.');
}
