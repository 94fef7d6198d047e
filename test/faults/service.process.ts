import { existsSync } from 'node:fs';
import { eventually } from '@tidegate/kernel/testing';
import { type Program, start } from '../e2e/process.ts';
import { reachedFile } from './armed-fault.ts';

const READY_WITHIN_MS = 60_000;
/** Until the process is gone that has reached its fault. */
const DEAD_WITHIN_MS = 5_000;

export interface ServiceProcessOptions {
  readonly service: string;
  /** 1, 2, … */
  readonly replica: number;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
  /** Where faults are armed for all replicas of this service. */
  readonly faultFile: string;
}

/** One replica of one service, which can be killed, stopped, frozen and started again on the same port. */
export class ServiceProcess {
  readonly name: string;
  readonly service: string;
  readonly url: string;
  readonly #options: ServiceProcessOptions;
  readonly #past: string[] = [];
  #program: Program | undefined;
  #isFrozen = false;

  constructor(options: ServiceProcessOptions) {
    this.#options = options;
    this.service = options.service;
    this.name = `${options.service}/${options.replica}`;
    this.url = `http://127.0.0.1:${options.port}`;
  }

  /** It runs, and answers. */
  get isUp(): boolean {
    const process = this.#program?.process;
    return process?.exitCode === null && process.signalCode === null && !this.#isFrozen;
  }

  /** What it has written, over all its lives. */
  get log(): string {
    return [...this.#past, this.#program?.output() ?? ''].join('');
  }

  async start(): Promise<void> {
    const { service, port, env, faultFile } = this.#options;
    this.#past.push(this.#program?.output() ?? '');
    this.#isFrozen = false;
    const program = start('test/faults/service.ts', [service, faultFile], {
      ...env,
      PORT: String(port),
    });
    this.#program = program;
    await program.printed('the service is ready', READY_WITHIN_MS);
  }

  /** Thrown when it does not stop as it should: with exit code 0. */
  async stop(): Promise<void> {
    const program = this.#running();
    program.signal('SIGTERM');
    const code = await program.ended();
    if (code !== 0)
      throw new Error(
        `${this.name} ended with ${code ?? program.process.signalCode}:\n${program.output().slice(-2_000)}`,
      );
  }

  async kill(): Promise<void> {
    await this.#running().kill();
  }

  /** It hangs until `resume`. */
  freeze(): void {
    this.#running().signal('SIGSTOP');
    this.#isFrozen = true;
  }

  resume(): void {
    this.#running().signal('SIGCONT');
    this.#isFrozen = false;
  }

  /** Whether this is the process that has taken the armed fault, and killed itself there. */
  async hasKilledItself(): Promise<boolean> {
    if (!this.#hasReached()) return false;
    const { process } = this.#running();
    return eventually(() => process.signalCode === 'SIGKILL', DEAD_WITHIN_MS);
  }

  /** The same of one that has only stopped itself; it hangs until `resume`. */
  hasFrozenItself(): boolean {
    this.#isFrozen ||= this.#hasReached();
    return this.#isFrozen;
  }

  #hasReached(): boolean {
    const pid = this.#program?.process.pid;
    return pid !== undefined && existsSync(reachedFile(this.#options.faultFile, pid));
  }

  #running(): Program {
    if (!this.#program) throw new Error(`${this.name} was never started.`);
    return this.#program;
  }
}
