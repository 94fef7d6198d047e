import { AppError } from '@tidegate/kernel';
import { type Command, InvalidArgumentError } from 'commander';
import { acting, type World } from '../command.ts';

interface Options {
  readonly env: string;
  readonly count: number;
  readonly label: Readonly<Record<string, string>>;
  readonly message?: string;
  readonly id?: string;
}

export function registerSignal(program: Command, world: World): void {
  const signal = program
    .command('signal')
    .description('what has been noticed: complaints, critical errors, data loss');

  signal
    .command('report <signal>')
    .description('report one; guards that watch it are judged at once')
    .option('-e, --env <environment>', 'where it happened', 'production')
    .option('-c, --count <n>', 'how many', amount, 1)
    .option('-l, --label <name=value>', 'what guards tell it apart by; may be repeated', label, {})
    .option('-m, --message <text>', 'what happened')
    .option('--id <id>', 'of the event: reported again with the same one, it is counted once')
    .action(
      acting(world, async ({ client, out }, name: string, options: Options) => {
        const { env: environment, count, label: labels, message, id } = options;
        const { body } = await client.call('metrics-gatekeeper', 'POST', '/v1/signals', {
          body: { environment, signal: name, count, labels, message },
          ...(id === undefined ? {} : { headers: { 'idempotency-key': id } }),
        });
        out.show(body, () => `${name} in ${environment} is reported.`);
      }),
    );
}

function amount(value: string): number {
  const number = Number(value);
  if (value.trim() !== '' && number >= 0 && Number.isFinite(number)) return number;
  throw new InvalidArgumentError('Expected a number from 0 on.');
}

function label(value: string, before: Options['label']): Options['label'] {
  const at = value.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Expected name=value, such as area=checkout.');
  const name = value.slice(0, at);
  if (Object.hasOwn(before, name))
    throw new AppError('CLI_USAGE', `The label ${name} is given twice.`);
  return { ...before, [name]: value.slice(at + 1) };
}
