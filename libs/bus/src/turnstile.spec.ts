import { describe, expect, it } from '@jest/globals';
import { Turnstile } from './turnstile.ts';

const watched = () => {
  const turnstile = new Turnstile();
  const through: string[] = [];
  return {
    through,
    enter(name: string, isUrgent = false) {
      turnstile.enter(isUrgent, () => through.push(name));
    },
    leave(isUrgent = false) {
      turnstile.leave(isUrgent);
    },
  };
};

describe('a turnstile', () => {
  it('lets one through at a time, in order of arrival', () => {
    const { enter, leave, through } = watched();
    for (const name of ['first', 'second', 'third']) enter(name);
    expect(through).toEqual(['first']);
    leave();
    expect(through).toEqual(['first', 'second']);
    leave();
    leave();
    enter('fourth');
    expect(through).toEqual(['first', 'second', 'third', 'fourth']);
  });

  it('has a kill wait for kills only, and everybody else for kills', () => {
    const { enter, leave, through } = watched();
    enter('first');
    enter('kill', true);
    enter('second kill', true);
    enter('second');
    expect(through).toEqual(['first', 'kill']);
    leave();
    expect(through).toEqual(['first', 'kill']);
    leave(true);
    expect(through).toEqual(['first', 'kill', 'second kill']);
    leave(true);
    expect(through).toEqual(['first', 'kill', 'second kill', 'second']);
  });
});
