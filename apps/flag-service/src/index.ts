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
    FLAG_HISTORY_BEHIND: 503,
    FLAG_REFERENCE_UNKNOWN: 422,
    FLAG_REFERENCES_TOO_MANY: 422,
    FLAG_CYCLE: 422,
    COPY_TO_ITSELF: 422,
    SCHEDULE_IN_PAST: 422,
    SCHEDULE_AMBIGUOUS: 422,
    SEGMENT_VERSION_CONFLICT: 412,
    SEGMENT_TOO_LARGE: 413,
    SEGMENT_INVALID: 422,
    SEGMENT_REFERENCE_UNKNOWN: 422,
    SEGMENT_REFERENCES_TOO_MANY: 422,
    SEGMENT_CYCLE: 422,
    ADOPTION_UNREACHABLE: 503,
    STREAMS_FULL: 429,
  },
  module: flagServiceModule,
});
