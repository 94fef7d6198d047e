import { PutEnvironment, PutFlag } from '@tidegate/contracts';
import type { MetricsSource, Reading } from '@tidegate/metrics-source';
import { MemoryDisk } from '@tidegate/store/testing';
import type { Existing, Rollout } from '../../apps/metrics-gatekeeper/src/rollout/state.ts';
import { rolloutCollection } from '../../apps/metrics-gatekeeper/src/rollout/rollouts.ts';
import { Application, type Stream } from './application.ts';
import type { Defect } from './defect.ts';
import type { EnvironmentFlags } from '../../apps/flag-service/src/view/environment-flags.ts';
import type { SavedMessage } from './linked-store.memory.ts';
import { definitionWith, type Door, People } from './people.ts';
import { lookAfter } from './caretaker.ts';
import { Chaos } from './chaos.ts';
import { calm, drawProfile, type Profile } from './profile.ts';
import { Process } from './process.ts';
import { Seeded } from './random.ts';
import { withGates } from './gated.ts';
import { putReferences } from './referring.ts';
import {
  drawScenario,
  ENVIRONMENT,
  BETA,
  FLAG,
  PAYMENTS,
  PLAN,
  type Scenario,
  withReferences,
  withSilence,
} from './scenario.ts';
import { bootFlagService, bootGatekeeper, bootRunner, type Shared } from './services.ts';
import { type Life, Sim, Violation } from './sim.ts';
import { SimBus } from './sim-bus.memory.ts';
import { Table } from './table.memory.ts';

/** One scrape of all targets, as it was served. */
export interface Look {
  /** When it was answered. */
  readonly at: number;
  readonly readings: readonly Reading[];
}

const SETTLE_MS = 20 * 60_000;

/** Everything there is: the services in two replicas, an application, people, and one rollout. */
export class World {
  readonly sim: Sim;
  readonly scenario: Scenario;
  readonly disk = new MemoryDisk();
  readonly bus: SimBus;
  readonly people: People;
  readonly saved = new Map<string, SavedMessage>();
  readonly table = new Table();
  readonly looks: Look[] = [];
  readonly applications: readonly Application[];
  readonly defect: Defect;
  readonly profile: Profile;
  readonly #processes: readonly Process[];
  readonly #chaos: Chaos;
  #isSetUp = false;

  constructor(seed: number, defect: Defect = {}) {
    this.sim = new Sim(seed);
    this.defect = defect;
    const { sim } = this;
    const profile = drawProfile(sim.random);
    const drawn = drawScenario(sim.random, profile === calm);
    const gated = withGates(drawn, new Seeded(Math.imul(seed, 0x85eb_ca77)));
    this.scenario = withReferences(
      withSilence(gated, new Seeded(~seed)),
      new Seeded(Math.imul(seed, 0x9e37_79b1)),
    );
    this.bus = new SimBus(sim, defect);
    const { bus, disk, saved, table } = this;
    const source = (life: Life) => this.#sourceFor(life);
    const { keepsHistory, closeIfSilentMs } = this.scenario;
    const closesIfSilent = closeIfSilentMs !== undefined;
    const what = { keepsHistory, closesIfSilent };
    const shared: Shared = { sim, bus, disk, saved, defect, table, source, ...what };
    this.#processes = [
      new Process(shared, 'flag-service', 0, bootFlagService),
      new Process(shared, 'flag-service', 1, bootFlagService),
      new Process(shared, 'metrics-gatekeeper', 0, bootGatekeeper),
      new Process(shared, 'metrics-gatekeeper', 1, bootGatekeeper),
      new Process(shared, 'migration-runner', 0, bootRunner),
      new Process(shared, 'migration-runner', 1, bootRunner),
    ];
    sim.kill = (life) => {
      this.#processes.find((each) => each.life === life)?.kill();
    };
    this.people = new People(sim, bus, () => this.doors());
    this.applications = this.scenario.targets.map(
      (target, index) =>
        new Application(sim, {
          target,
          index,
          truth: this.scenario.truth,
          flag: FLAG,
          life: this.people.life,
          streams: () => this.#streams(),
          holder: defect.holder?.bind(defect),
        }),
    );
    this.profile = profile;
    this.#chaos = new Chaos({ sim, bus, disk, people: this.people, processes: this.#processes });
  }

  doors(): readonly Door[] {
    return this.#processes.flatMap(({ life, doors }) =>
      life?.isAlive && doors ? [{ life, doors }] : [],
    );
  }

  /** What each living replica of flag-service serves. */
  async views(): Promise<readonly { readonly name: string; readonly flags: EnvironmentFlags }[]> {
    const found = [];
    for (const { life, doors } of this.doors()) {
      const flags = await doors.views?.find(ENVIRONMENT);
      if (flags) found.push({ name: life.name, flags });
    }
    return found;
  }

  /** Runs the rollout to its end; then everything has come to rest. Rejects with the first Violation. */
  async run(): Promise<void> {
    const { sim } = this;
    for (const process of this.#processes) process.start();
    sim.begin('setup', this.#setUp());
    await this.#until(() => this.#isSetUp, 60_000, 'the world is set up');
    for (const application of this.applications)
      sim.begin(application.target, application.follow());
    sim.profile = this.profile;
    this.#chaos.begin(this.scenario.happenings);
    const end = sim.now() + this.scenario.chaosMs;
    await this.#until(() => sim.now() >= end, Infinity);
    await this.#settle();
  }

  async #setUp(): Promise<void> {
    const { people, scenario } = this;
    const web = { overTopic: false };
    const environment = this.#environment();
    await people.ask(`PutEnvironment ${environment.metadata.id}`, (doors) =>
      doors.environments?.put(environment),
    );
    if (scenario.refers) await putReferences(people, scenario);
    const [flags, segments] = scenario.refers ? [[PAYMENTS], [BETA]] : [[], []];
    const definition = definitionWith(scenario.before, undefined, flags, segments);
    const data = { environment: ENVIRONMENT, key: FLAG, definition, salt: 'salt' };
    await people.command(PutFlag, data, web);
    const text = JSON.stringify(scenario.plan);
    await people.ask(`PutPlan`, (doors) =>
      doors.plans?.put(PLAN, text, { source: 'people:alex', actor: 'alex' }),
    );
    this.#isSetUp = true;
  }

  #environment(): PutEnvironment {
    const id = this.sim.ids.next();
    return {
      type: PutEnvironment.type,
      key: ENVIRONMENT,
      data: { environment: ENVIRONMENT },
      metadata: { id, source: 'people:alex', at: this.sim.now(), actor: 'alex', correlationId: id },
    };
  }

  /** Faults end, whoever is away comes back, and somebody looks after what waits for a person. */
  async #settle(): Promise<void> {
    const { sim } = this;
    sim.profile = calm;
    this.#chaos.end();
    lookAfter(sim, this.people, () => this.rollouts());
    const isOver = () => this.#isAtRest() && !this.#isAnyWatched();
    await this.#until(isOver, SETTLE_MS, 'every rollout comes to its end');
    let rest = sim.now() + 8_000;
    const isResting = (): boolean => {
      // A rollback that had failed may be done only now, and is looked after again: what it changes takes its time.
      if (this.#isAnyWatched()) rest = sim.now() + 8_000;
      return sim.now() >= rest && this.#isAtRest();
    };
    await this.#until(isResting, SETTLE_MS, 'the world comes to rest');
  }

  #isAtRest(): boolean {
    return this.bus.isIdle && !this.owes();
  }

  /** By the index, which is quicker than to read them. */
  #isAnyWatched(): boolean {
    const rollouts = this.disk.documents.get(rolloutCollection.name)?.values() ?? [];
    return [...rollouts].some(({ fields }) => fields['watched'] === true);
  }

  owes(): boolean {
    return [...this.disk.documents.values()].some((documents) =>
      [...documents.values()].some(({ outbox }) => outbox.length > 0),
    );
  }

  rollouts(): readonly Existing[] {
    return [...(this.disk.documents.get(rolloutCollection.name)?.values() ?? [])].flatMap(
      ({ state }) => {
        const rollout = JSON.parse(state) as Rollout;
        return rollout.status === 'absent' ? [] : [rollout];
      },
    );
  }

  async #until(isSo: () => boolean, withinMs: number, what = ''): Promise<void> {
    const { sim } = this;
    const latest = sim.now() + withinMs;
    while (!isSo()) {
      if (sim.violation) throw sim.violation;
      if (sim.now() > latest) throw new Violation('liveness', `not within ${withinMs} ms: ${what}`);
      await sim.scheduler.step(sim.profile.rush);
    }
    if (sim.violation) throw sim.violation;
  }

  #streams(): readonly Stream[] {
    return this.#processes.flatMap(({ life, flags }) =>
      life?.isAlive && flags ? [{ life, flags }] : [],
    );
  }

  #sourceFor(life: Life): MetricsSource {
    const { sim } = this;
    return {
      read: async (requests) => {
        await sim.gate(life, 'scrape');
        if (this.applications.some((each) => each.trouble()?.kind === 'slow'))
          await sim.scheduler.sleep(life, sim.random.between(500, 3_000));
        const readings = requests.flatMap(({ target, metrics }) => {
          const found = this.applications.find((each) => each.target === target);
          return found ? [found.read(metrics)] : [];
        });
        this.looks.push({ at: sim.now(), readings });
        return readings;
      },
    };
  }
}
