import { FACTORS } from './gates.cases.ts';
import type { Comparison, NullResult } from './gates.ts';
import type { Detection } from './gates.measure.ts';
import { median, number, percent, quantile, share, time } from './gates.numbers.ts';
import { targetOf } from './gates.rows.ts';
import type { Tuned } from './gates.tuning.ts';

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

export function nullTable(nulls: readonly NullResult[]): string {
  const names = [...new Set(nulls.flatMap(({ rivals }) => Object.keys(rivals)))];
  const rows = nulls.map(({ null: each, runs, rolledBack, held, rivals }) => {
    const { low, high } = share(rolledBack, runs);
    return [
      each.name,
      each.promised === true ? 'yes' : 'no',
      `${rolledBack} of ${runs} (${percent(low)} – ${percent(high)})`,
      String(held),
      ...names.map((name) => {
        const count = rivals[name];
        return count === undefined ? '' : percent(count / runs);
      }),
    ];
  });
  return table(['traffic', 'promised', 'Tidegate', 'held', ...names], rows);
}

/** By regression and requests per second: median time, the same ÷ information limit, and whether it was reached. */
export function delayTable(detections: readonly Detection[]): string {
  const rates = [...new Set(detections.map(({ regression }) => regression.requestsPerSecond))];
  const cell = (factor: number, rate: number): string => {
    const found = detections.find(
      ({ regression }) => regression.factor === factor && regression.requestsPerSecond === rate,
    );
    if (!found) return '';
    const [delay, requests] = [median(found.seconds), median(found.requests)];
    if (!Number.isFinite(delay)) return wayOut(found);
    const mark = requests <= targetOf(found) ? '' : ' ✗';
    return `${time(delay)} (${ratio(requests / found.limit)}×, 90 %: ${time(quantile(found.seconds, 0.9))})${mark}`;
  };
  return table(
    ['regression', ...rates.map((rate) => `${number(rate)}/s`)],
    FACTORS.map((factor) => [`×${factor}`, ...rates.map((rate) => cell(factor, rate))]),
  );
}

const ratio = (value: number): string => (value < 10 ? value.toFixed(2) : number(value));

const wayOut = ({ held, missed, requests }: Detection): string =>
  `${requests.filter(Number.isFinite).length} of ${requests.length} rolled back, ${held} held, ${missed} missed`;

export function comparisonTable({ field, ours, rivals }: Comparison): string {
  const row = (name: string, tuned: Tuned | null) => {
    if (!tuned) return [name, 'none keeps to 1 %', ...FACTORS.map(() => '')];
    const wrong = percent(tuned.falseRollbacks / tuned.healthy);
    const cells = FACTORS.map(
      (_, i) => `${time(tuned.medians[i]!)} / ${time(tuned.ninetieths[i]!)}`,
    );
    return [name, wrong, ...cells];
  };
  const rows = rivals.flatMap(({ name, usual, overall }) => [
    ...usual.map((tuned) => row(tuned.label, tuned)),
    row(`${name}, best setting${overall ? ` (${settingOf(overall)})` : ''}`, overall),
  ]);
  const limit = field.healthyAt === 1 ? '' : `, limit ${percent(0.01 * field.healthyAt)}`;
  return table(
    ['rule', 'healthy rolled back', ...FACTORS.map((factor) => `×${factor}`)],
    [
      [
        `**Tidegate**${limit}`,
        'at most 1 %',
        ...ours.map(
          ({ seconds }) => `**${time(median(seconds))}** / ${time(quantile(seconds, 0.9))}`,
        ),
      ],
      ...rows,
    ],
  );
}

const settingOf = ({ setting: { everyMs, windowMs, times }, step }: Tuned): string =>
  `every ${time(everyMs / 1_000)}, window ${time(windowMs / 1_000)}, above ${times} × limit, ${step}`;

/** Where a rule, at its best setting or at the best for just this regression, was faster. */
export function losses({ field, ours, rivals }: Comparison): string[] {
  const where = `${field.late ? 'late' : 'from the start'}, ${field.requestsPerSecond}/s, healthy at ${percent(0.01 * field.healthyAt)}`;
  return rivals.flatMap(({ name, overall, each }) =>
    FACTORS.flatMap((factor, i) => {
      const own = median(ours[i]?.seconds ?? []);
      const better = (tuned: Tuned | null | undefined) =>
        tuned && tuned.medians[i]! < own ? tuned : undefined;
      const one = better(overall);
      const just = better(each[i]);
      if (!one && !just) return [];
      const how = (tuned: Tuned) =>
        `${time(tuned.medians[i]!)} (90 %: ${time(tuned.ninetieths[i]!)}, healthy rolled back ${percent(tuned.falseRollbacks / tuned.healthy)})`;
      return [
        `×${factor}, ${where}: Tidegate ${time(own)} (90 %: ${time(quantile(ours[i]?.seconds ?? [], 0.9))}); ${name} ` +
          (one ? `at its best setting ${how(one)}` : `set for just this regression ${how(just!)}`),
      ];
    }),
  );
}

/** Where the median delay is above what was to be reached. */
export const misses = (detections: readonly Detection[], where: string): string[] =>
  detections.flatMap((each) => {
    const requests = median(each.requests);
    if (requests <= targetOf(each)) return [];
    const { factor, requestsPerSecond } = each.regression;
    const delay = Number.isFinite(requests)
      ? `${ratio(requests / each.limit)}× the information limit of ${number(each.limit)} requests`
      : wayOut(each);
    return [`×${factor} at ${number(requestsPerSecond)}/s, ${where}: ${delay}`];
  });
