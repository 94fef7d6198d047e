import { expect, it } from '@jest/globals';
import { catalogue, encode } from '@tidegate/contracts';
import fc from 'fast-check';
import { packHeaders, unpackHeaders } from './packed-headers.ts';

const name = fc.oneof(
  fc.constantFrom('ce_id', 'ce_subject', 'ce_specversion', 'content-type', 'traceparent'),
  fc.string(),
);
const value = fc.oneof(fc.constantFrom('1.0', 'application/json', 'key', ''), fc.string());
const headers = fc.dictionary(name, value, { noNullPrototype: true });
const key = fc.option(fc.oneof(fc.constant('key'), fc.string()));

it('gives back any headers', () => {
  fc.assert(
    fc.property(headers, key, (given, ofRecord) => {
      expect(unpackHeaders(packHeaders(given, ofRecord), ofRecord)).toEqual(given);
    }),
  );
});

it('says nothing twice: half of the usual headers or less are stored', () => {
  for (const { type, example, key: keyOf, schema } of catalogue) {
    const data = schema.parse(example);
    const metadata = { id: 'm-1', source: 's', at: 1, actor: 'a', correlationId: 'c' };
    const record = encode({ type, key: keyOf(data), data, metadata });
    const packed = packHeaders(record.headers, record.key);
    expect(unpackHeaders(packed, record.key)).toEqual(record.headers);
    expect(packed.length).toBeLessThan(JSON.stringify(record.headers).length / 2);
  }
});
