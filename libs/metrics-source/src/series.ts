import type { Selector } from '@tidegate/contracts';
import type { Sample } from './metrics-source.port.ts';

/** Name and labels as one text, labels in code-unit order: equal series have equal keys. */
export function seriesKey(name: string, labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${name}{${pairs.map(([label, value]) => `${label}=${JSON.stringify(value)}`).join(',')}}`;
}

type Named = Pick<Sample, 'name' | 'labels'>;

/**
 * Whether a sample is of the selector's metric and its labels have the wanted values. As in Prometheus, a label that
 * is missing has the value "".
 */
export function selecting({ metric, where }: Selector): (sample: Named) => boolean {
  const wanted = Object.entries(where);
  const hasLabels = (labels: Named['labels']): boolean => {
    for (const [label, values] of wanted) {
      const value = Object.hasOwn(labels, label) ? (labels[label] ?? '') : '';
      if (typeof values === 'string' ? values !== value : !values.includes(value)) return false;
    }
    return true;
  };
  return ({ name, labels }) => name === metric && hasLabels(labels);
}

export const isSelected = (sample: Named, selector: Selector): boolean =>
  selecting(selector)(sample);

/** The samples that the selector chooses. */
export const select = (samples: readonly Sample[], selector: Selector): Sample[] =>
  samples.filter(selecting(selector));
