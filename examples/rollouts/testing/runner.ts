import { join } from 'node:path';
import { expect } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { migrationRunner } from '@tidegate/migration-runner';
import { startTestService } from '@tidegate/platform/testing';

/** A run that has ended, as migration-runner shows it. */
export interface Ended {
  readonly run: string;
  readonly status: string;
  readonly code?: string;
  readonly message?: string;
  readonly counts: { readonly changed: number; readonly skipped: number; readonly failed?: number };
  readonly failures?: readonly { readonly key: string | number; readonly message: string }[];
}

export interface Runner {
  /** Resolves with a run that is completed; rejects with what it says when it fails. */
  run(migration: string, action: string, options?: object): Promise<Ended>;
  /** The same, however it ends. */
  ended(migration: string, action: string, options?: object): Promise<Ended>;
  /** What the run found and did. */
  report(run: Ended): Promise<unknown>;
  markdown(run: Ended): Promise<string>;
}

/** The real migration-runner on a rollout's migrations. */
export async function openRunner(
  plan: string,
  targets: Readonly<Record<string, string>>,
): Promise<Runner> {
  const service = await startTestService(migrationRunner, {
    env: {
      MIGRATIONS_DIR: join(import.meta.dirname, '..', plan, 'migrations'),
      MIGRATION_TARGETS: Object.entries(targets)
        .map(([name, url]) => `${name}=${url}`)
        .join(','),
      MIGRATION_CHECK_MS: '50',
      MIGRATION_SETTLE_MS: '200',
    },
  });
  const ended = async (migration: string, action: string, options = {}): Promise<Ended> => {
    const body = { migration, action, ...options };
    const started = await service.post<Ended>('/v1/runs', body);
    if (started.status !== 201) throw new Error(JSON.stringify(started.body));
    return eventually(async () => {
      const { body } = await service.get<Ended & { waitsFor?: object }>(
        `/v1/runs/${started.body.run}`,
      );
      if (body.status === 'running') throw new Error(JSON.stringify(body));
      return body;
    }, 170_000);
  };
  return {
    ended,
    run: async (...asked) => {
      const run = await ended(...asked);
      if (run.status !== 'completed') throw new Error(JSON.stringify(run));
      return run;
    },
    report: async ({ run }) => {
      const { status, body } = await service.get(`/v1/runs/${run}/report`);
      expect(status).toBe(200);
      return body;
    },
    markdown: async ({ run }) => {
      const path = `${service.url}/v1/runs/${run}/report?format=markdown`;
      const headers = { authorization: `Bearer ${service.keyOf('viewer')}` };
      const response = await fetch(path, { headers });
      expect(response.status).toBe(200);
      return response.text();
    },
  };
}
