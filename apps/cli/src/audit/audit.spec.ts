import { hash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Continuity } from './continuity.ts';
import { orderProblems } from './order.ts';
import { type LineManifest, readLine } from './record-line.ts';
import { renderReport, type VerifyReport } from './report.ts';
import { Tree } from './tree.ts';

const sha256 = (...parts: Buffer[]) => hash('sha256', Buffer.concat(parts), 'buffer');

// RFC 6962 §2.1, word for word: slow and obvious.
function slowRoot(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 1) return leaves[0]!;
  const k = 2 ** Math.ceil(Math.log2(leaves.length) - 1);
  return sha256(Buffer.of(1), slowRoot(leaves.slice(0, k)), slowRoot(leaves.slice(k)));
}

const leavesOf = (count: number) =>
  Array.from({ length: count }, (_, i) => sha256(Buffer.of(0), Buffer.from(`leaf ${i}`)));
const grown = (leaves: readonly Buffer[], from = new Tree()) => {
  for (const leaf of leaves) from.add(leaf);
  return from;
};

/** The complete subtrees that `size` leaves fall into, the largest first. */
function peaksOf(leaves: readonly Buffer[]): Buffer[] {
  if (leaves.length === 0) return [];
  const length = 2 ** Math.floor(Math.log2(leaves.length));
  return [slowRoot(leaves.slice(0, length)), ...peaksOf(leaves.slice(length))];
}

describe('the verifier’s tree', () => {
  const sizes = fc.tuple(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 0, max: 200 }));

  it('agrees with the recursive definition', () => {
    fc.assert(
      fc.property(
        sizes,
        ([n]) => grown(leavesOf(n)).root() === slowRoot(leavesOf(n)).toString('base64'),
      ),
    );
  });

  it('goes on from the subtrees of an earlier one', () => {
    fc.assert(
      fc.property(sizes, ([n, more]) => {
        const leaves = leavesOf(n + more);
        const start = Tree.of(n, peaksOf(leaves.slice(0, n)))!;
        expect(start.size).toBe(n);
        expect(grown(leaves.slice(n), start).root()).toBe(slowRoot(leaves).toString('base64'));
      }),
    );
  });

  it('has the root of the empty tree before its first leaf', () => {
    expect(new Tree().root()).toBe('47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=');
  });

  it('is not made of too many, too few or too short subtrees', () => {
    const peaks = peaksOf(leavesOf(6));
    expect(Tree.of(6, peaks.slice(1))).toBeUndefined();
    expect(Tree.of(6, [...peaks, peaks[0]!])).toBeUndefined();
    expect(Tree.of(6, [peaks[0]!, Buffer.of(1)])).toBeUndefined();
  });

  it('leaves the one it is a copy of as it is', () => {
    const tree = grown(leavesOf(5));
    const before = tree.root();
    grown(leavesOf(3), tree.copy());
    expect([tree.root(), tree.size]).toEqual([before, 5]);
  });
});

describe('a line', () => {
  const manifest =
    '{"contentHash":null,"kind":"gap","origin":{"incarnation":1,"offset":"4","partition":0,"topic":"t"},"position":9}';
  const leaf = hash('sha256', `\0${manifest}`);
  const gap = `{"leaf":"${leaf}","manifest":${manifest},"salt":null,"content":null}`;

  it('of a gap has a leaf and no content', () => {
    const line = readLine(Buffer.from(gap))!;
    expect(line.claimed.equals(line.computed)).toBe(true);
    expect([line.content, line.manifest.position]).toEqual(['none', 9]);
  });

  it('of a gap must not have got content', () => {
    const salted = gap.replace('null,"content":null', `"${'0'.repeat(32)}","content":{}`);
    expect(readLine(Buffer.from(salted))?.content).toBe('changed');
  });

  it.each([
    ['nothing', ''],
    ['another object', '{}'],
    ['a cut line', gap.slice(0, -1)],
    ['a leaf in capitals', gap.replace(leaf, leaf.toUpperCase())],
    ['a position that is no number', gap.replace('"position":9', '"position":"9"')],
    ['an offset that is no number', gap.replace('"offset":"4"', '"offset":"four"')],
    ['a manifest that is no JSON', gap.replace(manifest, '{')],
  ])('is not read from %s', (_, text) => {
    expect(readLine(Buffer.from(text))).toBeUndefined();
  });
});

describe('the order of a segment', () => {
  const segment = { file: 'segments/x', from: 10, count: 6 };
  const named = (found: number[]) =>
    orderProblems(segment, found).map(({ kind, position, to }) =>
      `${kind} ${position} ${to ?? ''}`.trim(),
    );

  it('is right when every position stands at its place', () => {
    expect(named([10, 11, 12, 13, 14, 15])).toEqual([]);
  });

  it('names what is missing, at the beginning, in the middle and at the end', () => {
    expect(named([11, 12])).toEqual(['record-missing 10', 'record-missing 13 15']);
    expect(named([10, 15])).toEqual(['record-missing 11 14']);
    expect(named([])).toEqual(['record-missing 10 15']);
  });

  it('names what was swapped, also where something is missing', () => {
    expect(named([10, 12, 11, 13, 14, 15])).toEqual(['record-displaced 12', 'record-displaced 11']);
    expect(named([15, 12, 13, 10])).toEqual([
      'record-missing 11',
      'record-missing 14',
      'record-displaced 15',
      'record-displaced 10',
    ]);
  });

  it('names what does not belong there or stands there twice', () => {
    expect(named([10, 11, 12, 13, 14, 15, 15, 99])).toEqual([
      'record-displaced 15',
      'record-displaced 99',
    ]);
  });
});

describe('the offsets of the bus', () => {
  const at = (offset: string, over: Partial<LineManifest['origin']> = {}): LineManifest => ({
    position: 0,
    kind: 'message',
    contentHash: null,
    origin: { topic: 't', incarnation: 1, partition: 0, offset, ...over },
  });
  const follow = (...manifests: LineManifest[]) => {
    const continuity = new Continuity();
    return manifests.map((manifest) => continuity.follows(manifest));
  };

  it('follow each other from 0 in each partition', () => {
    expect(follow(at('0'), at('0', { partition: 1 }), at('1'), at('1', { partition: 1 }))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(follow(at('1'))).toEqual([false]);
    expect(follow(at('0'), at('2'))).toEqual([true, false]);
    expect(follow(at('0'), at('0'))).toEqual([true, false]);
  });

  it('go on behind a gap that says how long it is', () => {
    const gap = { ...at('1'), kind: 'gap', missing: '3' };
    expect(follow(at('0'), gap, at('4'))).toEqual([true, true, true]);
    expect(follow(at('0'), gap, at('5'))).toEqual([true, true, false]);
  });

  it('begin again after a gap without an end, in a later incarnation only', () => {
    const gap = { ...at('1'), kind: 'gap', missing: null };
    expect(follow(at('0'), gap, at('7', { incarnation: 2 }))).toEqual([true, true, true]);
    expect(follow(at('0'), gap, at('7'))).toEqual([true, true, false]);
    expect(follow(at('0'), at('1', { incarnation: 2 }))).toEqual([true, false]);
  });
});

describe('the report', () => {
  const report: VerifyReport = {
    proven: true,
    folder: 'archive',
    records: 1_234,
    redacted: 3,
    gaps: 0,
    segments: 2,
    seals: 2,
    newest: { size: 1_234, root: 'cm9vdA==', sealedAt: 1_790_000_000_000, keyId: 'ed25519:00' },
    keyPinned: false,
    unsealedFiles: 0,
    problems: [],
    moreProblems: 0,
  };
  // oxlint-disable-next-line no-control-regex -- colours
  const plain = (of: VerifyReport) => renderReport(of).replace(/\u001B\[\d+m/g, '');

  it('says what is proven, up to which seal, and whose key that rests on', () => {
    expect(plain(report)).toContain('1,234 (3 redacted)');
    expect(plain(report)).toContain('cm9vdA==:1234');
    expect(plain(report)).toContain('from the archive itself');
    expect(plain(report)).toContain('PROVEN  Every record');
  });

  it('names the first problems and counts the others', () => {
    const problems = Array.from({ length: 22 }, (_, position) => ({
      kind: 'record-changed' as const,
      position,
      message: `Record ${position} was changed.`,
    }));
    const text = plain({ ...report, proven: false, problems, moreProblems: 5 });
    expect(text).toContain('NOT PROVEN  27 problems');
    expect(text).toContain('✗ Record 19 was changed.');
    expect(text).not.toContain('Record 20');
    expect(text).toContain('… and 7 more');
  });
});
