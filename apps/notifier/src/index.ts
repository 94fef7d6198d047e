import { defineService } from '@tidegate/platform';
import { Config } from './config.ts';
import { notifierModule } from './notifier.module.ts';

export const notifier = defineService({
  name: 'notifier',
  description:
    'Tells people: routes, groups repeats, stores before it sends, retries until delivered.',
  defaultPort: 7405,
  config: Config,
  statuses: {},
  module: notifierModule,
});
