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
  'error',
  'closed',
] as const satisfies readonly TidegateStatus['state'][];

/** How often a flag was answered in one way since the last scrape. */
interface Cell {
  count: number;
  readonly variant: string;
  readonly reason: Details['reason'];
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
      for (const [flag, answers] of cells.byFlag)
        for (const cell of answers) {
          const reason = cell.reason.toLowerCase();
          this.inc({ flag, variant: cell.variant, reason }, cell.count);
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

/** Counting is a look-up and an addition; prom-client, which hashes labels, is given the sums when it is scraped. */
class Cells {
  readonly byFlag = new Map<string, Cell[]>();
  readonly #flags: Bounded;

  constructor(mostFlags: number) {
    this.#flags = new Bounded(mostFlags);
  }

  /** A flag has a handful of answers: to look through them is faster than to hash them. */
  of(key: string, { reason, variant = '' }: Details): Cell {
    const answers = this.byFlag.get(key) ?? this.#answersOf(this.#flags.label(key));
    for (const cell of answers) if (cell.variant === variant && cell.reason === reason) return cell;
    const cell = { count: 0, variant, reason };
    answers.push(cell);
    return cell;
  }

  #answersOf(label: string): Cell[] {
    const known = this.byFlag.get(label);
    if (known) return known;
    const made: Cell[] = [];
    this.byFlag.set(label, made);
    return made;
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
