import { formatDuration } from '@tidegate/kernel';
import { type Command, Option } from 'commander';
import { acting, type World } from '../command.ts';
import { type Service, services } from '../http/services.ts';
import { table, time } from '../output/output.ts';

interface Lag {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly records: number;
  readonly ageMs: number;
  readonly waitingFor?: string;
}
interface Letter {
  readonly id: string;
  readonly at: number;
  readonly group: string;
  readonly reason: string;
  readonly code: string;
  readonly message: string;
  readonly replayedAt?: number;
}
interface Where {
  readonly service: Service;
}

export function registerBus(program: Command, world: World): void {
  const bus = program.command('bus').description('messages on their way');
  const service = () =>
    new Option('-s, --service <service>', 'the service to ask')
      .choices(services)
      .default('metrics-gatekeeper');

  bus
    .command('lag')
    .description('what each consumer group has not handled yet')
    .addOption(service())
    .option('--all', 'also partitions without lag')
    .action(
      acting(world, async ({ client, out }, options: Where & { all?: boolean }) => {
        const { body } = await client.call<{ items: Lag[] }>(options.service, 'GET', '/v1/bus/lag');
        const items = body.items.filter(({ records }) => options.all === true || records > 0);
        out.show({ items }, () =>
          table(
            ['group', 'topic', 'partition', 'records', 'oldest', 'waiting for'],
            items.map((lag) => [
              lag.group,
              lag.topic,
              lag.partition,
              lag.records,
              formatDuration(lag.ageMs),
              lag.waitingFor ?? '',
            ]),
            'Nothing is waiting.',
          ),
        );
      }),
    );

  bus
    .command('dead-letters')
    .description('messages that a group could not handle, newest first')
    .addOption(service())
    .action(
      acting(world, async ({ client, out }, options: Where) => {
        const items = await client.all<Letter>(options.service, '/v1/bus/dead-letters');
        out.show({ items }, () =>
          table(
            ['id', 'when', 'group', 'reason', 'what', 'replayed'],
            items.map((letter) => [
              letter.id,
              time(letter.at),
              letter.group,
              letter.reason,
              `${letter.code}: ${letter.message.split('\n')[0] ?? ''}`,
              letter.replayedAt === undefined ? '' : time(letter.replayedAt),
            ]),
            'There are no dead letters.',
          ),
        );
      }),
    );

  bus
    .command('replay <id>')
    .description('deliver a dead letter again, to the group that failed')
    .addOption(service())
    .action(
      acting(world, async ({ client, out }, id: string, options: Where) => {
        const path = `/v1/bus/dead-letters/${encodeURIComponent(id)}/replay`;
        const { body } = await client.call(options.service, 'POST', path);
        out.show(body ?? { replayed: id }, () => `${id} is delivered again.`);
      }),
    );
}
