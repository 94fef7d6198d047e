import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isOpen, onTheWall, opensAt, type Window } from './window.ts';

const at = (text: string): number => Date.parse(text);
const night: Window = { from: '22:00', to: '06:00', timeZone: 'Europe/Berlin' };
const office: Window = { from: '09:00', to: '17:00', timeZone: 'Asia/Kolkata' };

describe('a window', () => {
  it.each([
    ['2026-11-28T20:59:59Z', false],
    ['2026-11-28T21:00:00Z', true],
    ['2026-11-29T04:59:59Z', true],
    ['2026-11-29T05:00:00Z', false],
  ])('from 22:00 to 06:00 in Berlin: at %s %s', (text, open) => {
    expect(isOpen(night, at(text))).toBe(open);
  });

  it('is by the clock on the wall, in summer as in winter', () => {
    expect(isOpen(night, at('2026-07-01T20:00:00Z'))).toBe(true);
    expect(isOpen(night, at('2026-12-01T20:00:00Z'))).toBe(false);
    expect(isOpen(office, at('2026-07-01T03:30:00Z'))).toBe(true);
    expect(isOpen(office, at('2026-07-01T03:29:00Z'))).toBe(false);
  });

  it('over midnight belongs to the day on which it began', () => {
    const friday: Window = { ...night, days: ['fri'] };
    expect(isOpen(friday, at('2026-11-27T23:00:00Z'))).toBe(true); // Saturday 00:00 in Berlin
    expect(isOpen(friday, at('2026-11-28T04:59:00Z'))).toBe(true);
    expect(isOpen(friday, at('2026-11-26T23:30:00Z'))).toBe(false); // Friday 00:30, the night of Thursday
    expect(onTheWall(friday, opensAt(friday, at('2026-11-28T05:00:00Z')))).toBe(
      '2026-12-04 22:00 Europe/Berlin',
    );
  });

  it('that begins in the hour that summer time leaves out opens when the clock has jumped', () => {
    const spring: Window = { from: '02:30', to: '05:00', timeZone: 'Europe/Berlin' };
    expect(opensAt(spring, at('2027-03-28T00:00:00Z'))).toBe(at('2027-03-28T01:00:00Z'));
  });

  it('in the hour that comes twice is open twice', () => {
    const autumn: Window = { from: '02:30', to: '02:45', timeZone: 'Europe/Berlin' };
    const first = opensAt(autumn, at('2026-10-24T22:00:00Z'));
    expect(first).toBe(at('2026-10-25T00:30:00Z'));
    expect(opensAt(autumn, at('2026-10-25T00:50:00Z'))).toBe(at('2026-10-25T01:30:00Z'));
  });

  it('opens at the first minute at which it is open, whatever the clock does', () => {
    const time = fc
      .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
      .map((parts) => parts.map((part) => String(part).padStart(2, '0')).join(':'));
    // Days around which these zones change their clocks, among others.
    const zone = fc.constantFrom(
      ['Europe/Berlin', '2026-10-24T00:00:00Z'],
      ['Europe/Berlin', '2027-03-27T00:00:00Z'],
      ['America/New_York', '2027-03-13T00:00:00Z'],
      ['Australia/Lord_Howe', '2027-04-03T00:00:00Z'], // by half an hour
      ['Asia/Kolkata', '2026-12-31T00:00:00Z'],
      ['America/Santiago', '2026-09-05T00:00:00Z'], // at midnight
    );
    const MINUTES = 2 * 24 * 60;
    fc.assert(
      fc.property(
        fc.record({ from: time, to: time, zone, ahead: fc.integer({ min: 0, max: MINUTES / 2 }) }),
        ({ from, to, zone: [timeZone = '', day = ''], ahead }) => {
          fc.pre(from !== to);
          const window: Window = { from, to, timeZone };
          const now = at(day) + ahead * 60_000;
          fc.pre(!isOpen(window, now));
          let expected = now;
          while (!isOpen(window, expected)) expected += 60_000;
          expect(opensAt(window, now)).toBe(expected);
        },
      ),
      { numRuns: 60 },
    );
  });
});
