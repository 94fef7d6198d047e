import { describe, expect, it } from '@jest/globals';
import type { DeadLetter } from '@tidegate/bus';
import { deadLetterBody, ownsGroup } from './dead-letter-body.ts';

const letter = (value: Uint8Array | null): DeadLetter => ({
  id: 'letter',
  at: 1,
  group: 'tiny-service',
  origin: { topic: 'kills', incarnation: 1, partition: 0, offset: 2n ** 60n },
  reason: 'undecodable',
  code: 'MESSAGE_NOT_JSON',
  message: 'is none',
  attempts: 1,
  record: { key: null, headers: {}, value },
});

describe('a dead letter in JSON', () => {
  it('holds its offset to the last digit', () => {
    expect(JSON.parse(JSON.stringify(deadLetterBody(letter(null))))).toMatchObject({
      origin: { offset: '1152921504606846976' },
      record: { value: null },
    });
  });

  it('shows the value as text, and as base64 when it is none', () => {
    expect(deadLetterBody(letter(Buffer.from('{"ü'))).record).toMatchObject({
      value: '{"ü',
      encoding: 'utf-8',
    });
    expect(deadLetterBody(letter(Uint8Array.of(0xc3, 0x28, 0xff))).record).toMatchObject({
      value: 'wyj/',
      encoding: 'base64',
    });
  });
});

it('tells the groups of a service from those of one whose name begins alike', () => {
  const groups = ['flag', 'flag.kills', 'flag-service', 'flag-service.kills', 'other'];
  expect(groups.filter((group) => ownsGroup('flag', group))).toEqual(['flag', 'flag.kills']);
});
