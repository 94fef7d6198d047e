import type { Verdict } from '@tidegate/contracts';

/** What every guard said at one instant. */
export interface Sample {
  readonly at: number;
  readonly stage: string;
  readonly verdicts: readonly Verdict[];
  /** Something happened here: it is kept longer than its neighbours. */
  readonly news: boolean;
}

/** A rehearsal's verdicts over time, thinned as it goes on: as many as a picture can show, however long it is. */
export interface Trace {
  /** Of the checks without news, every so manieth is kept. */
  readonly stride: number;
  readonly checks: number;
  readonly samples: readonly Sample[];
}

export const MOST_SAMPLES = 500;
/** More news than this are kept no longer than anything else. */
const MOST_NEWS = MOST_SAMPLES / 2;

export const noTrace: Trace = { stride: 1, checks: 0, samples: [] };

/** One more check. @param sample only asked for where it is kept */
export function traced(trace: Trace, news: boolean, sample: () => Omit<Sample, 'news'>): Trace {
  const { stride, checks, samples } = trace;
  const next = { ...trace, checks: checks + 1 };
  const isNews = news && samples.filter((each) => each.news).length < MOST_NEWS;
  if (!isNews && checks % stride !== 0) return next;
  return thinned({ ...next, samples: [...samples, { ...sample(), news: isNews }] });
}

/** Twice as far apart as soon as there are too many; those with news stay. */
function thinned(trace: Trace): Trace {
  if (trace.samples.length <= MOST_SAMPLES) return trace;
  let regular = 0;
  const samples = trace.samples.filter(({ news }) => {
    if (!news) regular += 1;
    return news || regular % 2 === 1;
  });
  return { ...trace, stride: trace.stride * 2, samples };
}
