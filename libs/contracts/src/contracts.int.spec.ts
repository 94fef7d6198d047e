import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { isRejection } from '@tidegate/kernel';
import { incompatibilities } from './compatibility.ts';
import { catalogue, decode, definitionOfWire, encode, schemaDocuments, topics } from './index.ts';
import { exampleOf } from './testing.ts';

const folder = join(import.meta.dirname, '../golden');
const goldens = readdirSync(folder).map((file) => [file.replace(/\.json$/, ''), file] as const);
const published = join(import.meta.dirname, '../published');
const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));

describe('the catalogue', () => {
  it('gives every message a topic, one wire name and one type', () => {
    expect(new Set(catalogue.map(({ wire }) => wire)).size).toBe(catalogue.length);
    expect(new Set(catalogue.map(({ type }) => type)).size).toBe(catalogue.length);
    for (const { topic } of catalogue) expect(Object.keys(topics)).toContain(topic);
  });

  it('keeps one partition for commands, kills and states, where foreign writers hash keys differently', () => {
    for (const { kind, topic } of catalogue)
      if (kind === 'state' || topic.endsWith('.commands') || topic === 'kills')
        expect(topics[topic].partitions).toBe(1);
  });

  it('lets no kill expire', () => {
    for (const { topic, maxAgeMs } of catalogue)
      if (topic === 'kills') expect(maxAgeMs).toBeUndefined();
  });

  it('has a golden file for every message', () => {
    expect(goldens.map(([wire]) => wire).sort()).toEqual(catalogue.map(({ wire }) => wire).sort());
  });
});

describe.each(goldens)('%s', (wire, file) => {
  const golden = read(join(folder, file));
  const definition = definitionOfWire(wire);
  if (!definition) throw new Error(`${wire} is not in the catalogue`);

  it('is read as it was published (new reads old)', () => {
    expect(definition.schema.safeParse(golden).error).toBeUndefined();
  });

  it('can be exchanged with the release that first published it, both ways', () => {
    const first = read(join(published, `${wire}.schema.json`)) as object;
    const now = schemaDocuments().get(`${wire}.schema.json`) ?? {};
    expect(incompatibilities(first, now)).toEqual([]);
  });

  it('ignores fields that it does not know', () => {
    expect(definition.schema.safeParse({ ...(golden as object), later: 1 }).error).toBeUndefined();
  });

  it('comes back from the wire as it was sent', () => {
    const message = exampleOf(definition, {}, { revision: { epoch: 1, version: 7 } });
    const decoded = decode(encode(message));
    if (isRejection(decoded)) throw new Error(decoded.message);
    expect(decoded.message).toEqual(message);
  });
});
