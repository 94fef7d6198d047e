import { describe, expect, it } from '@jest/globals';
import type { Origin, RawRecord } from '@tidegate/bus';
import fc from 'fast-check';
import { leafHash } from '../tree/merkle.ts';
import { standingOf } from './cursor.ts';
import { contentHash, leafOf, recordOf } from './line.ts';
import { content, manifest } from './manifest.ts';
import { gapLine, messageLine, originOf } from './record.ts';

const salt = '00112233445566778899aabbccddeeff';
const origin: Origin = { topic: 'flag.events', incarnation: 1, partition: 3, offset: 17n };
const headers = {
  ce_id: 'm-1',
  ce_source: 'flag-service',
  ce_type: 'tidegate.flag.disabled.v1',
  ce_time: '2026-11-21T08:00:00.123Z',
  ce_actor: 'ada',
  ce_correlationid: 'rollout-9',
};
const raw = (record: Partial<RawRecord['record']> = {}): RawRecord => ({
  origin,
  recordedAt: 1_790_000_000_000,
  record: { key: 'production/checkout', headers, value: Buffer.from('{"a":"ü"}'), ...record },
});
const partOf = (text: string, name: string, next?: string) => {
  const from = text.indexOf(`"${name}":`) + name.length + 3;
  return text.slice(from, next === undefined ? -1 : text.indexOf(`,"${next}":`));
};

describe('a record', () => {
  it('says where it stood, who did what and when, and what began it', () => {
    const { manifest: found } = recordOf(messageLine(raw(), { position: 5, salt }).text);
    expect(manifest.parse(found)).toEqual({
      v: 1,
      position: 5,
      kind: 'message',
      origin: { topic: 'flag.events', incarnation: 1, partition: 3, offset: '17' },
      contentHash: expect.any(String),
      occurredAt: Date.parse('2026-11-21T08:00:00.123Z'),
      recordedAt: 1_790_000_000_000,
      who: 'ada',
      type: 'tidegate.flag.disabled.v1',
      correlationId: 'rollout-9',
      source: 'flag-service',
      id: 'm-1',
    });
  });

  it('keeps text as text and every other value byte by byte', () => {
    const contentOf = (value: Uint8Array | null) =>
      recordOf(messageLine(raw({ value }), { position: 0, salt }).text).content?.value;
    expect(contentOf(Buffer.from('{"a":"ü"}'))).toEqual({ utf8: '{"a":"ü"}' });
    expect(contentOf(Buffer.from([0xff, 0x00, 0xfe]))).toEqual({ base64: '/wD+' });
    expect(contentOf(null)).toBeNull();
  });

  it('gives back exactly the bytes that it was made of', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.boolean(), (bytes, asText) => {
        const value = asText ? Buffer.from(Buffer.from(bytes).toString('utf8')) : bytes;
        const found = content.parse(
          recordOf(messageLine(raw({ value }), { position: 0, salt }).text).content,
        ).value;
        const back =
          found === null || 'utf8' in found
            ? Buffer.from(found?.utf8 ?? 'none')
            : Buffer.from(found.base64, 'base64');
        expect(back.equals(value)).toBe(true);
      }),
    );
  });

  it('says nothing where the message said nothing, and no time where that was not one', () => {
    const bare = raw({ key: null, headers: { ce_time: 'yesterday' } });
    const { manifest: found } = recordOf(messageLine(bare, { position: 0, salt }).text);
    expect(found).toMatchObject({ occurredAt: null, who: null, type: null, id: null });
  });

  it('covers the manifest with its leaf and the content with its salted hash, as they stand', () => {
    const { text, leaf } = messageLine(raw(), { position: 5, salt });
    expect(leaf).toEqual(leafHash(partOf(text, 'manifest', 'salt')));
    expect(leafOf(text)).toEqual(leaf);
    expect(recordOf(text).manifest.contentHash).toBe(contentHash(salt, partOf(text, 'content')));
  });

  it('hides equal contents from each other by its salt', () => {
    const other = 'ffeeddccbbaa99887766554433221100';
    const [a, b] = [salt, other].map(
      (s) => recordOf(messageLine(raw(), { position: 5, salt: s }).text).manifest.contentHash,
    );
    expect(a).not.toBe(b);
  });
});

describe('a gap', () => {
  it('has a place in the log and no content', () => {
    const line = gapLine(originOf({ ...origin, offset: 12n }), 5n, raw(), 8);
    expect(recordOf(line.text)).toMatchObject({
      manifest: { kind: 'gap', position: 8, contentHash: null, missing: '5', who: null },
      salt: null,
      content: null,
    });
    expect(manifest.parse(recordOf(line.text).manifest).origin.offset).toBe('12');
  });
});

describe('the standing of a record', () => {
  const at = (incarnation: number, offset: bigint): Origin => ({ ...origin, incarnation, offset });

  it('is next where the cursor stands, and known before it', () => {
    const cursor = { incarnation: 2, next: 5n };
    expect(standingOf(cursor, at(2, 5n))).toEqual({ status: 'next' });
    expect(standingOf(cursor, at(2, 4n))).toEqual({ status: 'known' });
    expect(standingOf(cursor, at(1, 9n))).toEqual({ status: 'known' });
  });

  it('is after a gap when offsets were skipped', () => {
    expect(standingOf({ incarnation: 2, next: 5n }, at(2, 9n))).toEqual({
      status: 'after-gap',
      from: { incarnation: 2, offset: 5n },
      missing: 4n,
    });
  });

  it('is after a gap of unknown length when the topic was made anew', () => {
    expect(standingOf({ incarnation: 2, next: 5n }, at(3, 0n))).toEqual({
      status: 'after-gap',
      from: { incarnation: 2, offset: 5n },
      missing: null,
    });
  });

  it('is next at offset 0 of a new partition, and after a gap at a later one', () => {
    expect(standingOf(undefined, at(1, 0n))).toEqual({ status: 'next' });
    expect(standingOf(undefined, at(1, 3n))).toMatchObject({ status: 'after-gap', missing: 3n });
  });
});
