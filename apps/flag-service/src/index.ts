import { defineService } from '@tidegate/platform';
import { Config } from './config.ts';
import { flagServiceModule } from './flag-service.module.ts';

/** Environments and flags: changed by people and rollouts, served to applications. */
export const flagService = defineService({
  name: 'flag-service',
  description: 'Environments and flags: changed by people and rollouts, served to applications.',
  defaultPort: 7401,
  config: Config,
  statuses: {
    FLAG_VERSION_CONFLICT: 412,
    FLAG_INVALID: 422,
    FLAG_TOO_LARGE: 413,
    FLAG_NOT_RECOVERED: 503,
  },
  module: flagServiceModule,
});
