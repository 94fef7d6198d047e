import { describe, expect, it } from '@jest/globals';
import { decode, DisableFlag, encode, type WireRecord } from './index.ts';
import { exampleOf } from './testing.ts';

const good = encode(exampleOf(DisableFlag));
const header = (name: string, value: string | undefined): WireRecord => {
  const { [name]: _gone, ...rest } = good.headers;
  return { ...good, headers: value === undefined ? rest : { ...rest, [name]: value } };
};
const value = (text: string): WireRecord => ({ ...good, value: new TextEncoder().encode(text) });

describe('decode', () => {
  it.each([
    ['no type', header('ce_type', undefined), 'MESSAGE_HEADER_MISSING'],
    ['no id', header('ce_id', undefined), 'MESSAGE_HEADER_MISSING'],
    ['an empty id', header('ce_id', ''), 'MESSAGE_HEADER_MISSING'],
    ['an empty source', header('ce_source', ''), 'MESSAGE_HEADER_MISSING'],
    ['no time', header('ce_time', 'yesterday'), 'MESSAGE_HEADER_MISSING'],
    ['an unknown type', header('ce_type', 'tidegate.kettle.boiled.v1'), 'MESSAGE_TYPE_UNKNOWN'],
    [
      'an unknown major version',
      header('ce_type', 'tidegate.flag.disable.v9'),
      'MESSAGE_VERSION_UNKNOWN',
    ],
    ['a tombstone', { ...good, value: null }, 'MESSAGE_EMPTY'],
    ['half a message', value('{"environment":"prod'), 'MESSAGE_NOT_JSON'],
    [
      'bytes that are no UTF-8',
      { ...good, value: new Uint8Array([0xff, 0xfe]) },
      'MESSAGE_NOT_JSON',
    ],
    [
      'what is nested so deep that whoever walks it falls',
      value(`{"environment":"production","key":${'['.repeat(30_000)}${']'.repeat(30_000)}}`),
      'MESSAGE_TOO_DEEP',
    ],
    [
      'a field of the wrong type',
      value('{"environment":"production","key":7,"reason":"x"}'),
      'MESSAGE_INVALID',
    ],
  ])('refuses %s', (_what, record, code) => {
    expect(decode(record)).toMatchObject({ rejected: true, code });
  });

  it('names the field that is wrong, in one line', () => {
    expect(decode(value('{"environment":"production","key":"a","reason":""}'))).toMatchObject({
      message: 'reason: a reason is needed',
    });
  });

  it('takes the actor and correlation of a foreign writer who gives none from its source and id', () => {
    const { ce_actor: _a, ce_correlationid: _c, ...headers } = good.headers;
    expect(decode({ ...good, headers })).toMatchObject({
      message: { metadata: { actor: 'spec', correlationId: 'm-1' } },
    });
  });
});
