import type { Details } from '@tidegate/evaluation';
import { Counter, Gauge, register as globalRegister, type Registry } from 'prom-client';
import type { Observer } from '../observer.port.ts';
import type { Tidegate, TidegateStatus } from '../tidegate.port.ts';
import { Bounded } from './bounded.ts';

export interface ExposureMetricsOptions {
  /** Default: prom-client's global one. */
  readonly register?: Registry;
  /** What the names begin with. Default `tidegate_`. */
  readonly prefix?: string;
  /** How many flags are told apart; those that are asked for later count as `other`. Default 500. */
  readonly mostFlags?: number;
}

const STATES = [
  'connecting',
  'ready',
  'stale',
  'closed',
] as const satisfies readonly TidegateStatus['state'][];

/** How often a flag was answered in one way since the last scrape. */
interface Cell {
  count: number;
  readonly labels: { readonly flag: string; readonly variant: string; readonly reason: string };
}

/**
 * Which variant was served how often, and how old what it was answered from: an observer of one client.
 * `<prefix>flag_evaluations_total{flag,variant,reason}`, `<prefix>flags_age_seconds`, `<prefix>client_state{state}`.
 */
export function exposureMetrics({
  register = globalRegister,
  prefix = 'tidegate_',
  mostFlags = 500,
}: ExposureMetricsOptions = {}): Observer {
  const cells = new Cells(mostFlags);
  void new Counter({
    name: `${prefix}flag_evaluations_total`,
    help: 'Evaluations, by flag, served variant (empty: the default of the caller) and reason.',
    labelNames: ['flag', 'variant', 'reason'] as const,
    registers: [register],
    collect() {
      for (const cell of cells.all()) {
        this.inc(cell.labels, cell.count);
        cell.count = 0;
      }
    },
  });
  return {
    attached: (flags) => {
      statusGauges(flags, prefix, register);
    },
    evaluated: (key, details) => {
      cells.of(key, details).count += 1;
    },
  };
}

/** Counting is two look-ups and an addition; prom-client, which hashes labels, is given the sums when it is scraped. */
class Cells {
  readonly #flags: Bounded;
  readonly #byFlag = new Map<string, Map<string, Cell>>();
  readonly #all: Cell[] = [];

  constructor(mostFlags: number) {
    this.#flags = new Bounded(mostFlags);
  }

  of(key: string, { reason, variant = '' }: Details): Cell {
    const flag = this.#flags.label(key);
    let cells = this.#byFlag.get(flag);
    if (cells === undefined) this.#byFlag.set(flag, (cells = new Map<string, Cell>()));
    const name = `${reason} ${variant}`;
    const known = cells.get(name);
    if (known) return known;
    const cell = { count: 0, labels: { flag, variant, reason: reason.toLowerCase() } };
    cells.set(name, cell);
    this.#all.push(cell);
    return cell;
  }

  all(): readonly Cell[] {
    return this.#all;
  }
}

function statusGauges(flags: Tidegate, prefix: string, register: Registry): void {
  void new Gauge({
    name: `${prefix}flags_age_seconds`,
    help: 'How long ago the flags were known to be current; no sample before they first came.',
    registers: [register],
    collect() {
      const { ageMs } = flags.status;
      if (ageMs === undefined) this.remove();
      else this.set(ageMs / 1_000);
    },
  });
  void new Gauge({
    name: `${prefix}client_state`,
    help: 'State of the client: 1 for the present one, else 0.',
    labelNames: ['state'] as const,
    registers: [register],
    collect() {
      for (const state of STATES) this.set({ state }, state === flags.status.state ? 1 : 0);
    },
  });
}
