import { expect, it } from '@jest/globals';
import { createOutput, facts, harmless, onOneLine, time } from './output.ts';

it('what others have written steers no terminal, and colours stay', () => {
  expect(harmless('a\u001b[2J\u001b]0;title\u0007b\r\u009b1A')).toBe('a�[2J�]0;title�b��1A');
  expect(harmless('\u001b[31mred\u001b[39m\nnext')).toBe('\u001b[31mred\u001b[39m\nnext');
});

it('what others have written makes up no fact of its own', () => {
  expect(facts([['about', onOneLine('hi\nstate  enabled')]]).split('\n')).toHaveLength(1);
});

it('programs get texts as they are', () => {
  const written: string[] = [];
  createOutput(true, (text) => written.push(text)).show({ about: '\u001b[2J' }, () => '');
  expect(JSON.parse(written.join(''))).toEqual({ about: '\u001b[2J' });
});

it('a moment beyond every calendar is shown as it is, and stops nothing', () => {
  expect(time(Date.UTC(2026, 10, 28))).toBe('2026-11-28 00:00:00Z');
  expect(time(9_007_199_254_740_991)).toBe('9007199254740991');
});
