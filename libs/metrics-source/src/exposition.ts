import { reject, type Rejection } from '@tidegate/kernel';
import { declaredBy, EOF, readLine } from './exposition-line.ts';
import type { Sample } from './metrics-source.port.ts';

/** One target's text, read: its samples by metric, and every metric it declares, also those without a series. */
export interface Exposition {
  readonly samples: ReadonlyMap<string, readonly Sample[]>;
  readonly declared: ReadonlySet<string>;
}

export interface ExpositionContext {
  /** When the target was asked, ms; taken where a line has no timestamp of its own. */
  readonly at: number;
  /** Timestamps are seconds, not milliseconds, and the end is marked. */
  readonly openMetrics?: boolean;
}

/**
 * Reads the Prometheus text format 0.0.4, and OpenMetrics 1.0. As strict as Prometheus: one line that is no sample
 * refuses the whole text (EXPOSITION_MALFORMED, with its number), as nobody knows what else is wrong.
 */
export function readExposition(
  text: string,
  { at, openMetrics = false }: ExpositionContext,
): Exposition | Rejection {
  const samples = new Map<string, Sample[]>();
  const declared = new Set<string>();
  let ended = false;
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    if (openMetrics && ended) return malformed(index, line, 'stands after # EOF');
    if (line.startsWith('#')) {
      ended = line === EOF;
      for (const name of declaredBy(line)) declared.add(name);
      continue;
    }
    const read = readLine(line);
    if (read === undefined) return malformed(index, line, 'is not a sample');
    const { value, timestamp } = read;
    const { name, labels, key } = read.series;
    const taken = timestamp === undefined ? at : Math.round(timestamp * (openMetrics ? 1_000 : 1));
    declared.add(name);
    const known = samples.get(name);
    const sample = { name, labels, series: key, value, at: taken };
    if (known) known.push(sample);
    else samples.set(name, [sample]);
  }
  if (openMetrics && !ended)
    return reject('EXPOSITION_MALFORMED', 'the text does not end with # EOF: a part is missing');
  return { samples, declared };
}

const malformed = (index: number, line: string, what: string): Rejection =>
  reject(
    'EXPOSITION_MALFORMED',
    `line ${index + 1} ${what}: ${JSON.stringify(line.slice(0, 120))}`,
  );
