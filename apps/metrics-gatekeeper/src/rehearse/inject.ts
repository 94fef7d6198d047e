import type { Plan } from '@tidegate/contracts';
import { ofType } from './chosen.ts';
import { countedBy, failing, more, times, totalsOf } from './inject-counters.ts';
import { alerting, isNamed, silent, slower, values } from './inject-others.ts';
import type { Change } from './injection.ts';
import type { Recording } from './recording.ts';

/** The recording as if the change had happened to the new version after `from`; before it, it is as it was. */
export function inject(recording: Recording, plan: Plan, change: Change, from: number): Recording {
  const watched = new Set(plan.guards.map(({ metric }) => metric));
  const metrics = Object.entries(plan.metrics).flatMap(([name, metric]) =>
    watched.has(name) ? [metric] : [],
  );
  switch (change.kind) {
    case 'errors-times':
      return times(
        recording,
        ofType(metrics, 'ratio', ({ bad }) => bad),
        change.times,
        from,
      );
    case 'requests-times':
      return times(recording, totalsOf(metrics), change.times, from);
    case 'errors-share':
      return failing(recording, metrics, change.share, from);
    case 'slower':
      return slower(recording, metrics, change.ms, from);
    case 'events':
      return once(metrics.map(countedBy)).reduce(
        (now, each) => more(now, each, change.perMinute, from),
        recording,
      );
    case 'value-times':
      return values(recording, metrics, from, (value) => value * change.times);
    case 'value-set':
      return values(recording, metrics, from, () => change.value);
    case 'alert':
      return once(metrics).reduce((now, metric) => alerting(now, metric, from), recording);
    case 'drop':
      return silent(recording, from, (series) => isNamed(series, change.series));
    case 'stop-scrape':
      return silent(recording, from, () => true);
  }
}

/** What stands there twice, once. */
const once = <T>(values: readonly T[]): T[] => [
  ...new Map(values.map((value) => [JSON.stringify(value), value])).values(),
];
