import type { EnvironmentFlags } from '../../apps/flag-service/src/view/environment-flags.ts';
import type { FlagViews } from '../../apps/flag-service/src/view/flag-views.handler.ts';
import { ENVIRONMENT } from './scenario.ts';
import type { Boot, Doors, Shared } from './services.ts';
import { calm } from './profile.ts';
import { type Life, newLife } from './sim.ts';

/** A process that is begun again whenever it ends; what it held in memory is gone. */
export class Process {
  readonly service: string;
  life: Life | undefined;
  doors: Doors | undefined;
  /** What it serves applications, once it serves. */
  flags: EnvironmentFlags | undefined;
  readonly #shared: Shared;
  readonly #boot: Boot;
  readonly #index: number;
  #lives = 0;

  constructor(shared: Shared, service: string, index: number, boot: Boot) {
    this.#shared = shared;
    this.service = service;
    this.#index = index;
    this.#boot = boot;
  }

  start(): void {
    this.#lives += 1;
    const life = newLife(this.service, `${this.service}-${this.#index}.${this.#lives}`);
    this.life = life;
    this.#bootWith(life).catch((error: unknown) => {
      this.#shared.sim.tolerate(`${life.name} at its start`, error);
      if (this.life === life) this.kill();
    });
  }

  async #bootWith(life: Life): Promise<void> {
    const { sim } = this.#shared;
    const doors = await this.#boot(this.#shared, life);
    if (!life.isAlive) return;
    this.doors = doors;
    sim.note(life.name, 'is up');
    if (doors.views) await this.#serve(doors.views, life);
  }

  /** From when there is an environment to serve. */
  async #serve(views: FlagViews, life: Life): Promise<void> {
    const { sim } = this.#shared;
    let flags: EnvironmentFlags | undefined;
    while (!flags) {
      await sim.scheduler.sleep(life, 500);
      flags = await views.find(ENVIRONMENT).catch((error: unknown) => {
        sim.tolerate(`${life.name} opens its view`, error);
        return undefined;
      });
    }
    if (!life.isAlive) return;
    this.flags = flags;
    this.#watch(flags, life.name);
  }

  /** No view ever goes back. */
  #watch(flags: EnvironmentFlags, name: string): void {
    const { sim } = this.#shared;
    const newest = new Map<string, number>();
    flags.onChange((event) => {
      const { key, version } = JSON.parse(event.slice(event.indexOf('data: ') + 6)) as {
        key: string;
        version: number;
      };
      const before = newest.get(key) ?? flags.get(key)?.version ?? 0;
      newest.set(key, version);
      if (version < before)
        sim.violated('P3', `${name} serves ${key} at version ${version} after ${before}`);
    });
  }

  /** @param forMs how long it stays away; some time if left out */
  kill(forMs?: number): void {
    const { life } = this;
    if (!life?.isAlive) return;
    const { sim } = this.#shared;
    life.isAlive = false;
    this.doors = undefined;
    this.flags = undefined;
    for (const tell of life.onDeath) tell();
    const awayMs = forMs ?? sim.random.between(50, sim.profile === calm ? 500 : 10_000);
    sim.scheduler.after({ isAlive: true }, awayMs, () => {
      if (this.life === life) this.start();
    });
  }

  /** The world is well again: it is up, and connected. */
  restore(): void {
    if (!this.life?.isAlive) this.start();
    else Object.assign(this.life, { storeIsCut: false, busIsCut: false });
  }
}
