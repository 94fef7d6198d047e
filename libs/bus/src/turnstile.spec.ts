import { describe, expect, it } from '@jest/globals';
import { Turnstile } from './turnstile.ts';

describe('a turnstile', () => {
  it('lets one through at a time, the urgent before those who came earlier', () => {
    const turnstile = new Turnstile();
    const through: string[] = [];
    const enter = (name: string, isUrgent = false) => {
      turnstile.enter(isUrgent, () => through.push(name));
    };
    enter('first');
    enter('second');
    enter('third');
    enter('kill', true);
    expect(through).toEqual(['first']);
    for (let left = 0; left < 4; left += 1) turnstile.leave();
    expect(through).toEqual(['first', 'kill', 'second', 'third']);
    enter('again');
    expect(through.at(-1)).toBe('again');
  });
});
