import { stateTopic } from '@tidegate/contracts';
import type { MemoryDisk } from '@tidegate/store/testing';
import type { People } from './people.ts';
import type { Process } from './process.ts';
import { atReferences } from './referring.ts';
import { ENVIRONMENT, type Happening, isAtReferences } from './scenario.ts';
import type { Sim } from './sim.ts';
import type { SimBus } from './sim-bus.memory.ts';

const COMMAND_TOPICS: ReadonlySet<string> = new Set([
  'kills',
  'flag.commands',
  'rollout.commands',
  'migration.commands',
]);
const REBALANCE_MS = 500;

interface Stage {
  readonly sim: Sim;
  readonly bus: SimBus;
  readonly disk: MemoryDisk;
  readonly people: People;
  readonly processes: readonly Process[];
}

/** What happens to a world from outside, until it ends. */
export class Chaos {
  readonly #stage: Stage;
  #isOver = false;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  begin(happenings: readonly Happening[]): void {
    const { sim, people } = this.#stage;
    for (const happening of happenings)
      sim.scheduler.after(people.life, happening.in, () => {
        sim.note('world', happening.what);
        sim.count(`happening: ${happening.what}`);
        const begun = this.#happen(happening);
        if (begun) sim.begin(`people: ${happening.what}`, begun);
      });
    this.#rebalance();
  }

  /** Everything that was away comes back. */
  end(): void {
    const { disk, bus, processes } = this.#stage;
    this.#isOver = true;
    disk.away = false;
    bus.isAway = false;
    for (const process of processes) process.restore();
  }

  /** Now and then partitions move to other members. */
  #rebalance(): void {
    const { sim, bus, people } = this.#stage;
    sim.scheduler.after(people.life, REBALANCE_MS, () => {
      if (this.#isOver) return;
      for (const lane of bus.lanes()) if (sim.random.chance(sim.profile.rebalance)) bus.move(lane);
      this.#rebalance();
    });
  }

  #happen({ what, forMs }: Happening): Promise<void> | undefined {
    const { sim, bus, people, processes } = this.#stage;
    const { random } = sim;
    switch (what) {
      case 'late-duplicate': {
        const commands = bus.published.filter(({ topic }) => COMMAND_TOPICS.has(topic));
        if (commands.length > 0) bus.put([random.pick(commands)]);
        return undefined;
      }
      case 'stale-command':
        return people.stale();
      case 'poison':
        bus.poison(random.pick(['flag.commands', 'kills', 'rollout.commands']));
        return undefined;
      case 'compaction':
        bus.log.clean(stateTopic(ENVIRONMENT), sim.now());
        return undefined;
      case 'lag': {
        const lanes = bus.lanes().filter(({ topic }) => COMMAND_TOPICS.has(topic));
        if (lanes.length > 0) random.pick(lanes).stall(forMs);
        return undefined;
      }
      case 'power-cut':
        for (const process of processes) process.kill();
        return undefined;
      case 'service-down':
        this.#stop(random.pick(processes).service, forMs);
        return undefined;
      case 'flags-away':
        this.#stop('flag-service', forMs);
        return undefined;
      case 'gatekeeper-away':
        this.#stop('metrics-gatekeeper', forMs);
        return undefined;
      case 'store-away':
      case 'bus-away':
      case 'cut-off':
        this.#cut(what, forMs);
        return undefined;
      default:
        return isAtReferences(what) ? atReferences(people, random, what) : people.wish(what);
    }
  }

  #stop(service: string, forMs: number): void {
    for (const process of this.#stage.processes)
      if (process.service === service) process.kill(forMs);
  }

  #cut(what: 'store-away' | 'bus-away' | 'cut-off', forMs: number): void {
    const { sim, disk, bus, people, processes } = this.#stage;
    const { life } = sim.random.pick(processes);
    const from = sim.random.pick(['storeIsCut', 'busIsCut'] as const);
    const set = (isAway: boolean) => {
      if (what === 'store-away') disk.away = isAway;
      else if (what === 'bus-away') bus.isAway = isAway;
      else if (life) life[from] = isAway;
    };
    set(true);
    sim.scheduler.after(people.life, forMs, () => {
      set(false);
    });
  }
}
