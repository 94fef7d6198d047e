import { type BatchLine, reportLimits } from '@tidegate/contracts';

/**
 * All batches of a run in a bounded list: when it is full, neighbours are put together, so that each line covers 1, 2, 4 …
 * batches, from the first key of the first to the last key of the last.
 */
export function withBatch(lines: readonly BatchLine[], line: BatchLine): readonly BatchLine[] {
  const span = lines[0]?.batches ?? 1;
  const last = lines.at(-1);
  if (last && last.batches < span) return [...lines.slice(0, -1), together(last, line)];
  const more = [...lines, line];
  return more.length <= reportLimits.batches ? more : halved(more);
}

function halved(lines: readonly BatchLine[]): readonly BatchLine[] {
  const pairs: BatchLine[] = [];
  for (let at = 0; at < lines.length; at += 2) {
    const [first, second] = [lines[at] as BatchLine, lines[at + 1]];
    pairs.push(second ? together(first, second) : first);
  }
  return pairs;
}

const together = (a: BatchLine, b: BatchLine): BatchLine => ({
  batch: a.batch,
  batches: a.batches + b.batches,
  first: a.first,
  last: b.last,
  changed: a.changed + b.changed,
  skipped: a.skipped + b.skipped,
  mismatched: a.mismatched + b.mismatched,
  failed: a.failed + b.failed,
  tookMs: a.tookMs + b.tookMs,
  at: b.at,
});
