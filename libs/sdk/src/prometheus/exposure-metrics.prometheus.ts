import type { Details } from '@tidegate/evaluation';
import { Counter, Gauge, register as globalRegister, type Registry } from 'prom-client';
import type { Observer } from '../observer.port.ts';
import type { Tidegate, TidegateStatus } from '../tidegate.port.ts';

export interface ExposureMetricsOptions {
  /** Default: prom-client's global one. */
  readonly register?: Registry;
  /** What the names begin with. Default `tidegate_`. */
  readonly prefix?: string;
  /** How many flags are told apart; those that are asked for later, and keys that no flag has, count as `other`. Default 500. */
  readonly mostFlags?: number;
}

const STATES = [
  'connecting',
  'ready',
  'stale',
  'error',
  'closed',
] as const satisfies readonly TidegateStatus['state'][];

const OTHER = 'other';
/** Of one flag; those that are served later count as `other`. */
const MOST_VARIANTS = 100;

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
    help: 'Evaluations, by flag, served variant (empty: the default of the caller, or a flag that is not told apart) and reason.',
    labelNames: ['flag', 'variant', 'reason'] as const,
    registers: [register],
    collect() {
      for (const { flag, cell } of cells) {
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

/** Cells by served variant and reason, of which there are about ten: to look through those is faster than to hash them. */
type Answers = Map<string, Cell[]>;

/** Counting is a look-up and an addition; prom-client, which hashes labels, is given the sums when it is scraped. */
class Cells {
  readonly #byFlag = new Map<string, Answers>();
  /** Of all flags that are not told apart. */
  readonly #other: Answers = new Map();
  readonly #mostFlags: number;

  constructor(mostFlags: number) {
    this.#mostFlags = mostFlags;
  }

  of(key: string, { reason, variant = '', errorCode }: Details): Cell {
    const answers = this.#answersOf(key, errorCode);
    if (answers === this.#other) return cellOf(answers, '', reason);
    const isTold = answers.has(variant) || answers.size < MOST_VARIANTS;
    return cellOf(answers, isTold ? variant : OTHER, reason);
  }

  *[Symbol.iterator](): Generator<{ flag: string; cell: Cell }> {
    for (const [flag, answers] of [...this.#byFlag, [OTHER, this.#other] as const])
      for (const cell of [...answers.values()].flat()) yield { flag, cell };
  }

  /** What nobody knows to be a flag takes no place of one. */
  #answersOf(key: string, errorCode: Details['errorCode']): Answers {
    const known = this.#byFlag.get(key);
    if (known) return known;
    const isUnknown = errorCode === 'FLAG_NOT_FOUND' || errorCode === 'PROVIDER_NOT_READY';
    if (isUnknown || this.#byFlag.size >= this.#mostFlags) return this.#other;
    const made: Answers = new Map();
    this.#byFlag.set(key, made);
    return made;
  }
}

function cellOf(answers: Answers, variant: string, reason: Cell['reason']): Cell {
  const cells = answers.get(variant);
  const found = cells?.find((cell) => cell.reason === reason);
  if (found) return found;
  const made = { count: 0, variant, reason };
  if (cells) cells.push(made);
  else answers.set(variant, [made]);
  return made;
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
