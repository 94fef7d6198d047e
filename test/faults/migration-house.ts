import { writeFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '@tidegate/kernel/testing';
import type { FaultPoint } from '@tidegate/store';
import { type Program, start, temporaryFolder } from '../e2e/process.ts';
import { arm } from './armed-fault.ts';
import { migrationText, type Orders } from './orders.ts';

const ADMIN_API_KEY = 'tg_admin_of_the_spec';
/** A lease and more: whoever starts next need not wait for what a killed one held. */
const LEASE_AND_MORE_MS = 65_000;
const READY_WITHIN_MS = 60_000;

export interface RunBody {
  readonly run: string;
  readonly status: string;
  readonly code?: string;
  readonly message?: string;
  readonly counts: {
    readonly matched: number;
    readonly changed: number;
    readonly skipped: number;
    readonly mismatched: number;
    readonly failed?: number;
  };
  readonly failures?: readonly { readonly key: number }[];
  readonly throttled?: { readonly because: string };
  readonly waitsFor?: { readonly reason: string };
}

interface HouseOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** More of the migration's text. */
  readonly extra?: string;
  /** No file of the process grows beyond this. */
  readonly fileKilobytes?: number;
}

/** migration-runner as a process on files of its own, or on a store that it shares with others; it can be killed and started again. */
export class MigrationHouse implements AsyncDisposable {
  readonly faultFile: string;
  #env: Readonly<Record<string, string>>;
  #fileKilobytes: number;
  #program: Program | undefined;
  #url = '';
  #aheadMs = 0;

  constructor(
    orders: Pick<Orders, 'url' | 'key'>,
    { env = {}, extra = '', fileKilobytes = Infinity }: HouseOptions = {},
  ) {
    this.#fileKilobytes = fileKilobytes;
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'migrations'));
    writeFileSync(join(folder, 'migrations', 'order-totals.mjs'), migrationText(orders.key, extra));
    this.faultFile = join(folder, 'fault.json');
    this.#env = {
      PORT: '0',
      ADMIN_API_KEY,
      BUS_URL: `sqlite:${join(folder, 'bus.db')}`,
      STORE_URL: `sqlite:${join(folder, 'store.db')}`,
      MIGRATIONS_DIR: join(folder, 'migrations'),
      MIGRATION_TARGETS: 'shop=env:SHOP_URL',
      SHOP_URL: orders.url,
      MIGRATION_CHECK_MS: '100',
      ...env,
    };
  }

  get log(): string {
    return this.#program?.output() ?? '';
  }

  get program(): Program {
    if (!this.#program) throw new Error('It was never started.');
    return this.#program;
  }

  async start(aheadMs = this.#aheadMs): Promise<void> {
    this.#aheadMs = aheadMs;
    const args = [this.faultFile, String(aheadMs)];
    const fileKilobytes = this.#fileKilobytes;
    const limits = fileKilobytes === Infinity ? {} : { fileKilobytes };
    this.#program = start('test/faults/migration-runner.ts', args, this.#env, limits);
    const ready = /"url":"(http[^"]+)".*the service is ready/;
    const output = await this.#program.printed(ready, READY_WITHIN_MS);
    this.#url = ready.exec(output)?.[1] ?? '';
  }

  /** The next process, for which all leases of the last one have run out. */
  restart(
    env: Readonly<Record<string, string>> = {},
    fileKilobytes = this.#fileKilobytes,
  ): Promise<void> {
    this.#env = { ...this.#env, ...env };
    this.#fileKilobytes = fileKilobytes;
    return this.start(this.#aheadMs + LEASE_AND_MORE_MS);
  }

  kill = (point: FaultPoint, nth: number): void =>
    arm(this.faultFile, { point, document: '', nth, signal: 'SIGKILL' });

  async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(`${this.#url}${path}`, {
      method,
      headers: { authorization: `Bearer ${ADMIN_API_KEY}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answered = (await answer.json()) as T;
    if (!answer.ok) throw new Error(`${answer.status}: ${JSON.stringify(answered)}`);
    return answered;
  }

  async run(body: Readonly<Record<string, unknown>>): Promise<string> {
    const path = '/v1/runs';
    const { run } = await this.ask<RunBody>('POST', path, { migration: 'order-totals', ...body });
    return run;
  }

  show = (run: string): Promise<RunBody> => this.ask('GET', `/v1/runs/${run}`);

  /** Resolves when it is no longer running, or the process is gone. */
  async ended(run: string, withinMs = 60_000): Promise<RunBody | undefined> {
    const { process } = this.program;
    const isGone = () => process.exitCode !== null || process.signalCode !== null;
    let last: RunBody | undefined;
    const found = await eventually(async () => {
      if (isGone()) return 'gone';
      try {
        const body = await this.show(run);
        last = body;
        return body.status !== 'running' && body;
      } catch (error) {
        if (error instanceof TypeError) return false; // the connection; it may be dying
        throw error;
      }
    }, withinMs).catch((error: unknown) => {
      throw new Error(`${run} has not ended: ${JSON.stringify(last)}\n${this.log}`, {
        cause: error,
      });
    });
    return found === 'gone' ? undefined : (found as RunBody);
  }

  /** Starts it again until the run has ended. */
  async endedAtLast(run: string): Promise<RunBody> {
    for (;;) {
      const body = await this.ended(run);
      if (body) return body;
      await this.restart();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program?.kill();
  }
}
