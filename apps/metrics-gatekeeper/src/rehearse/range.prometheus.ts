import { type Clock, reject, type Rejection } from '@tidegate/kernel';
import { readsOf } from '@tidegate/gates';
import { fetchRange, prometheusTarget, type ReadRequest } from '@tidegate/metrics-source';
import { MOST_POINTS, pastOf, planOn, type Recording } from './recording.ts';
import { type ReadRange, signalsIn } from './recordings.handler.ts';

export interface RangeDeps {
  readonly clock: Clock;
  /** The Prometheus of plans that name none, and what it is told in the header Authorization. */
  readonly defaultUrl?: string | undefined;
  readonly authorization?: string | undefined;
}

/** Reads what each Prometheus of the plan has of its series; what the plan scrapes itself, from the default one. */
export const readRangeFrom =
  (deps: RangeDeps): ReadRange =>
  async (wanted) => {
    const plan = planOn({ series: [] }, wanted.plan);
    const reads = readsOf(plan, wanted.environment).filter(
      ({ target }) => urlIn(target) !== SIGNALS,
    );
    const recordings: Recording[] = [];
    for (const read of reads) {
      const url = wanted.url ?? urlIn(read.target) ?? deps.defaultUrl;
      if (url === undefined) return nobody;
      const recording = await readOne(deps, url, read, {
        from: wanted.from - pastOf(plan),
        until: wanted.until,
        stepMs: plan.checkEvery,
      });
      if ('rejected' in recording) return recording;
      recordings.push(recording);
    }
    return {
      series: recordings.flatMap(({ series }) => series),
      declared: [...recordings.flatMap(({ declared = [] }) => declared), ...signalsIn(plan)],
      rules: recordings.flatMap(({ rules = [] }) => rules),
    };
  };

const nobody = reject(
  'REHEARSAL_NO_PROMETHEUS',
  'Neither the plan nor the request names a Prometheus, and no default is configured (PROMETHEUS_URL).',
);

const SIGNALS = 'signals';
/** Undefined for the default one. */
function urlIn(target: string): string | undefined {
  const prefix = `${prometheusTarget()}:`;
  if (target === prometheusTarget()) return undefined;
  return target.startsWith(prefix) ? target.slice(prefix.length) : SIGNALS;
}

interface Asked {
  readonly from: number;
  readonly until: number;
  /** Between two evaluations of an expression: a check evaluates it too. */
  readonly stepMs: number;
}

async function readOne(
  { clock, defaultUrl, authorization }: RangeDeps,
  url: string,
  { metrics, selectors = [], queries = [] }: ReadRequest,
  { from, until, stepMs }: Asked,
): Promise<Recording | Rejection> {
  const whole = metrics
    .filter((metric) => !selectors.some((each) => each.metric === metric))
    .map((metric) => ({ metric, where: {} }));
  const request = {
    url,
    selectors: [...selectors, ...whole],
    queries,
    from,
    to: until,
    stepMs,
    ...(url === defaultUrl && authorization !== undefined ? { authorization } : {}),
  };
  const range = await fetchRange(request, { clock, maxPoints: MOST_POINTS });
  return 'failure' in range ? reject('REHEARSAL_DATA_UNREADABLE', range.message) : range;
}
