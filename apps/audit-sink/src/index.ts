import { defineService } from '@tidegate/platform';
import { auditSinkModule } from './audit-sink.module.ts';
import { Config } from './config.ts';

/** Keeps one provable record of everything that happened: on the bus of all services, and in other systems. */
export const auditSink = defineService({
  name: 'audit-sink',
  description: 'The record of everything that happened, sealed and provable.',
  defaultPort: 7404,
  config: Config,
  statuses: {
    RECORD_UNKNOWN: 404,
    SEAL_UNKNOWN: 404,
    SEAL_NOT_OLDER: 400,
    AUDIT_NOT_WRITING: 409,
    AUDIT_ARCHIVE_DIFFERS: 409,
    AUDIT_ARCHIVE_FAILED: 503,
  },
  module: auditSinkModule,
});
