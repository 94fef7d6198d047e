import type { Key } from '../target/target.port.ts';

/** Keys of one type as places on a line, so that keys between two others can be named. */
export interface KeySpace {
  readonly name: string;
  /** The place after which no key of the type comes. */
  readonly end: bigint;
  place(key: Key): bigint;
  at(place: bigint): Key;
}

const OFFSET = 2n ** 63n; // so that negative numbers have places, too
const FIRST_CHARACTER = 32;
const CHARACTERS = 95n; // printable ASCII
const TEXT_LENGTH = 24;

/** @param prefix of keys that carry their type; a table's column knows it by itself */
const hex = (name: string, digits: number, prefix: string): KeySpace => ({
  name,
  end: 16n ** BigInt(digits),
  place: (key) => BigInt(`0x${textOf(key).replaceAll('-', '').padEnd(digits, '0')}`),
  at: (place) => prefix + dashed(name, place.toString(16).padStart(digits, '0')),
});

const dashed = (name: string, digits: string): string =>
  name === 'uuid' ? digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-') : digits;

const numbers: KeySpace = {
  name: 'number',
  end: 2n ** 64n,
  place: (key) =>
    (typeof key === 'number' ? BigInt(Math.floor(key)) : BigInt(textOf(key))) + OFFSET,
  at: (place) => {
    const value = place - OFFSET;
    return BigInt.asIntN(53, value) === value ? Number(value) : `$int:${value}`;
  },
};

/** Milliseconds. */
const dates = (prefix: string): KeySpace => ({
  name: 'date',
  end: OFFSET + 8_640_000_000_000_000n,
  place: (key) => BigInt(Date.parse(textOf(key))) + OFFSET,
  at: (place) => prefix + new Date(Number(place - OFFSET)).toISOString(),
});

/** By its first characters; others than printable ASCII are near enough at the end they are nearer to. */
const texts: KeySpace = {
  name: 'text',
  end: CHARACTERS ** BigInt(TEXT_LENGTH),
  place: (key) => {
    const text = textOf(key);
    let place = 0n;
    for (let at = 0; at < TEXT_LENGTH; at += 1) {
      const code = at < text.length ? text.charCodeAt(at) - FIRST_CHARACTER : 0;
      place = place * CHARACTERS + BigInt(Math.min(Number(CHARACTERS) - 1, Math.max(0, code)));
    }
    return place;
  },
  at: (place) => {
    let text = '';
    for (let rest = place, at = 0; at < TEXT_LENGTH; at += 1, rest /= CHARACTERS)
      text = String.fromCharCode(Number(rest % CHARACTERS) + FIRST_CHARACTER) + text;
    const trimmed = text.trimEnd();
    return trimmed.startsWith('$') ? `$text:${trimmed}` : trimmed;
  },
};

const typed: Readonly<Record<string, KeySpace>> = {
  oid: hex('oid', 24, '$oid:'),
  uuid: hex('uuid', 32, '$uuid:'),
  int: numbers,
  date: dates('$date:'),
  text: texts,
};
const TYPED = /^\$(oid|uuid|date|int|text):(.*)$/s;
const textOf = (key: Key): string => TYPED.exec(String(key))?.[2] ?? String(key);

/** Text that a column of another type is read as. */
const untyped: readonly (readonly [RegExp, KeySpace])[] = [
  [/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/, hex('uuid', 32, '')],
  [/^\d{4}-\d\d-\d\dT\d\d:\d\d/, dates('')],
];

/** The space of a key; undefined for one that cannot be placed. */
export function spaceOf(key: Key): KeySpace | undefined {
  if (typeof key === 'number') return Number.isFinite(key) ? numbers : undefined;
  const type = TYPED.exec(key)?.[1];
  if (type === undefined && key.startsWith('$')) return undefined;
  const space = type === undefined ? untyped.find(([form]) => form.test(key))?.[1] : typed[type];
  try {
    (space ?? texts).place(key);
    return space ?? texts;
  } catch {
    return undefined;
  }
}
