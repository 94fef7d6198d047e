import type { Selector } from '@tidegate/contracts';
import type { Sample } from './metrics-source.port.ts';

/** Name and labels as one text, labels in code-unit order: equal series have equal keys. */
export function seriesKey(name: string, labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${name}{${pairs.map(([label, value]) => `${label}=${JSON.stringify(value)}`).join(',')}}`;
}

/**
 * Whether it is of the selector's metric and its labels have the wanted values. As in Prometheus, a label that is
 * missing has the value "".
 */
export const isSelected = (
  { name, labels }: Pick<Sample, 'name' | 'labels'>,
  { metric, where }: Selector,
): boolean =>
  name === metric &&
  Object.entries(where).every(([label, wanted]) => {
    const value = Object.hasOwn(labels, label) ? labels[label] : '';
    return (
      value !== undefined &&
      (typeof wanted === 'string' ? wanted === value : wanted.includes(value))
    );
  });

/** The samples that the selector chooses. */
export const select = (samples: readonly Sample[], selector: Selector): Sample[] =>
  samples.filter((sample) => isSelected(sample, selector));
