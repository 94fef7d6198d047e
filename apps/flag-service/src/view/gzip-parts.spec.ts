import { createGunzip, gunzipSync } from 'node:zlib';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { deflated, GZIP_HEAD, gzipEnd, stored, takesGzip } from './gzip-parts.gzip.ts';

it('is a gzip stream, whatever of it is stored and whatever is compressed', async () => {
  const part = fc.record({ bytes: fc.uint8Array({ maxLength: 200_000 }), small: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 6 }), async (parts) => {
      const blocks = await Promise.all(
        parts.map(async ({ bytes, small }) =>
          small ? stored(Buffer.from(bytes)) : deflated(Buffer.from(bytes)),
        ),
      );
      const whole = Buffer.concat(parts.map(({ bytes }) => bytes));
      expect(gunzipSync(Buffer.concat([GZIP_HEAD, ...blocks, gzipEnd(whole)])).equals(whole)).toBe(
        true,
      );
    }),
    { numRuns: 30 },
  );
});

it('can be read as far as it has come', async () => {
  const gunzip = createGunzip();
  const read = gunzip[Symbol.asyncIterator]();
  gunzip.write(Buffer.concat([GZIP_HEAD, stored(Buffer.from('event: '))]));
  expect(String((await read.next()).value)).toBe('event: ');
  gunzip.write(await deflated(Buffer.from('snapshot')));
  expect(String((await read.next()).value)).toBe('snapshot');
  gunzip.destroy();
});

it.each([
  [undefined, false],
  ['', false],
  ['identity', false],
  ['gzip', true],
  ['gzip, deflate', true],
  ['br;q=1.0, gzip;q=0.8, *;q=0.1', true],
  ['br, GZIP', true],
  ['*', true],
  ['gzip;q=0', false],
  ['gzip;q=0.0, br', false],
  ['gzip; q=0.01', true],
  ['xgzip', false],
])('reads Accept-Encoding: %s', (header, takes) => {
  expect(takesGzip(header)).toBe(takes);
});
