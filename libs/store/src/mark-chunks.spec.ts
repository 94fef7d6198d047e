import { expect, it } from '@jest/globals';
import { remember } from './document.ts';
import type { Mark } from './documents.port.ts';
import { marksOf, withNewest } from './mark-chunks.ts';

it('has the last 256 marks after each of a thousand, in nine chunks at most, of which one changes', () => {
  let handled: readonly Mark[] = [];
  let chunks: Record<string, string> = {};
  expect(marksOf(chunks, 0)).toEqual([]);
  for (let newest = 1; newest <= 1_000; newest += 1) {
    const mark: Mark = {
      source: 'spec',
      id: `c-${newest}`,
      answer: { outcome: 'changed', version: newest },
    };
    handled = remember(handled, mark);
    const { put, drop } = withNewest(handled, newest);
    const { [drop ?? '']: _dropped, ...kept } = chunks;
    chunks = { ...kept, [put[0]]: put[1] };
    expect(Object.keys(chunks).length).toBeLessThanOrEqual(9);
    expect(marksOf(chunks, newest)).toEqual(handled);
  }
});
