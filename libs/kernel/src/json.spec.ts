import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { isDeeper, MAX_JSON_DEPTH } from './json.ts';

const slowDepth = (value: unknown): number =>
  value === null || typeof value !== 'object'
    ? 0
    : 1 + Math.max(0, ...Object.values(value).map(slowDepth));

describe('isDeeper', () => {
  it('agrees with counting in the value itself, whatever its texts hold', () => {
    const awkward = fc.oneof(fc.string(), fc.constantFrom('"', '\\', '\\"', '[[[', '{"a":', ']}'));
    const value = fc.jsonValue({ maxDepth: 6, stringUnit: 'binary' });
    fc.assert(
      fc.property(value, awkward, fc.integer({ min: 0, max: 8 }), (inner, text, limit) => {
        const json = JSON.stringify({ [text]: [inner, text] });
        expect(isDeeper(json, limit)).toBe(slowDepth(JSON.parse(json)) > limit);
      }),
    );
  });

  it.each(['[', '{"a":'])('stands any depth of %s', (open) => {
    expect(isDeeper(open.repeat(1_000_000), MAX_JSON_DEPTH)).toBe(true);
    expect(isDeeper(open.repeat(MAX_JSON_DEPTH), MAX_JSON_DEPTH)).toBe(false);
  });
});
