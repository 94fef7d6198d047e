import { AppError } from '@tidegate/kernel';
import type { Outcome } from '@tidegate/store';
import type { MigrationErrorCode } from '../errors.ts';
import type { Run, Work } from '../run/run.ts';
import type { RunnerCommand, ThrottleReason } from '../run/runner-command.ts';
import type { Shift } from '../run/shift.handler.ts';
import { type Asking, createFacts, FRESH_MS, type FactsDeps, isUndoing } from './facts.handler.ts';
import { boundsOf, flowFor } from './limits.ts';
import { type Ended, firstPace, paced } from './pace.ts';
import { criticalLoad, type Facts, type Throttle, throttleOf, unknownLimit } from './throttle.ts';

export type Begin =
  { readonly go: true; readonly size: number } | ({ readonly go: false } & Throttle);

/** How one run is paced during one shift. */
export interface Pacing {
  /** Thrown MIGRATION_LOAD_CRITICAL; MIGRATION_TARGET_UNSUPPORTED for a limit on what the server does not tell. */
  mayBegin(asking: Asking): Promise<Begin>;
  /**
   * Rests, then waits until a batch may begin; resolves with its size, the whole of the lease before it. Undefined: leave
   * the run as it is. It was paused or ended, the process stops, or others should have its place while it waits. What it
   * waits for is recorded. Throws as `mayBegin` does.
   */
  begin(asking: Asking, shift: Turns): Promise<number | undefined>;
  /** Told of each batch when it is written; says how large the next is to be. */
  ended(work: Work, batch: Ended): number;
}

type Turns = Pick<Shift, 'fence' | 'goOn' | 'goOnToBatch'>;

export interface PacingDeps extends FactsDeps {
  readonly record: (
    run: string,
    command: Pick<RunnerCommand, 'type' | 'data'>,
  ) => Promise<Outcome<Run>>;
  readonly sleep: (ms: number) => Promise<void>;
  /** Told at each look what the run waits for, for the metrics. */
  readonly looked?: (run: string, because: ThrottleReason | undefined) => void;
}

/** Between two looks whether the run is still to go on. */
const SLICE_MS = 200;
/** A run that waits longer gives its lease and its place to others, and is looked at again as any run that is due. */
const WAIT_HERE_MS = 60_000;

export function createPacing(deps: PacingDeps, run: string, begun: Work): Pacing {
  let pace = firstPace(begun.nextSize ?? begun.batchSize, boundsOf(begun));
  const { clock } = deps;
  const ask = asker(deps);
  const teller = tellerOf(deps, run, begun);
  const mayBegin = async (asking: Asking): Promise<Begin> => {
    const throttle = await ask(asking, pace);
    return throttle ? { go: false, ...throttle } : { go: true, size: pace.size };
  };
  return {
    mayBegin,
    async begin(asking, shift) {
      const since = clock.now();
      if (!(await idle(deps, shift, pace.restMs))) return undefined;
      for (;;) {
        if (!(await shift.goOnToBatch())) return undefined;
        const begin = await mayBegin(asking);
        // Without the target not all reasons are known: no word yet that there is none any more.
        if (begin.go && !asking.target) return begin.size;
        if (!(await teller(shift.fence, begin))) return undefined;
        if (begin.go) return begin.size;
        if (!asking.target || Math.abs(clock.now() - since) >= WAIT_HERE_MS) return undefined;
        if (!(await idle(deps, shift, Math.min(begin.lookAgainInMs, WAIT_HERE_MS))))
          return undefined;
      }
    },
    ended(work, batch) {
      const { niceRatio } = work.flow ?? {};
      pace = paced(pace, batch, boundsOf(work), { at: clock.now(), niceRatio });
      return pace.size;
    },
  };
}

function asker(deps: FactsDeps) {
  const factsFor = createFacts(deps);
  let criticalSince: number | undefined;
  /** The second look, a second after the first, fails the run; what undoes waits instead. */
  const failIfCritical = (work: Work, { at, health }: Facts): void => {
    const critical = isUndoing(work) ? undefined : criticalLoad(work.flow ?? {}, health);
    if (critical === undefined) criticalSince = undefined;
    else if (criticalSince === undefined) criticalSince = at;
    else if (Math.abs(at - criticalSince) >= FRESH_MS)
      throw new AppError<MigrationErrorCode>('MIGRATION_LOAD_CRITICAL', critical);
  };
  return async (asking: Asking, pace: Parameters<typeof factsFor>[1]) => {
    const { work } = asking;
    const flow = flowFor(work);
    const closed = throttleOf(flow, { at: deps.clock.now() });
    if (closed) return closed; // nobody is asked anything all night long
    const facts = await factsFor(asking, pace);
    const unknown = work.batches === 0 ? unknownLimit(flow, facts.health) : undefined;
    if (unknown !== undefined)
      throw new AppError<MigrationErrorCode>('MIGRATION_TARGET_UNSUPPORTED', unknown);
    failIfCritical(work, facts);
    return throttleOf(flow, facts);
  };
}

/** Records what a run waits for when that changes; false when it is not to go on. */
function tellerOf({ record, looked }: PacingDeps, run: string, { throttled }: Work) {
  let told: string | undefined = throttled?.because;
  return async (fence: number, begin: Begin): Promise<boolean> => {
    const throttle = begin.go ? undefined : { because: begin.because, message: begin.message };
    looked?.(run, throttle?.because);
    if (throttle?.because === told) return true;
    const { state } = await record(run, { type: 'ThrottleRun', data: { fence, throttle } });
    told = throttle?.because;
    return state.status === 'running';
  };
}

/** False when the run is not to go on; seen within about a second. */
async function idle({ sleep }: Pick<PacingDeps, 'sleep'>, shift: Turns, ms: number) {
  for (let left = ms; left > 0; left -= SLICE_MS) {
    await sleep(Math.min(SLICE_MS, left));
    if (!(await shift.goOn())) return false;
  }
  return true;
}
