import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  append,
  emptyFrontier,
  foldPeaks,
  type Frontier,
  leafHash,
  type Node,
  nodeHash,
  root,
} from './merkle.ts';
import {
  completeSpans,
  consistencySpans,
  inclusionSpans,
  type Span,
  verifyConsistency,
  verifyInclusion,
} from './proof.ts';

// RFC 6962 §2.1, word for word: slow and obvious.
function slowRoot(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return root(emptyFrontier);
  if (leaves.length === 1) return leaves[0]!;
  const k = 2 ** Math.ceil(Math.log2(leaves.length) - 1);
  return nodeHash(slowRoot(leaves.slice(0, k)), slowRoot(leaves.slice(k)));
}

const frontierOf = (leaves: readonly Buffer[]): Frontier =>
  leaves.reduce((frontier, leaf) => append(frontier, leaf), emptyFrontier);
const numbered = (count: number) => Array.from({ length: count }, (_, i) => leafHash(`leaf ${i}`));
const hashes = (leaves: readonly Buffer[], spans: readonly Span[]) =>
  spans.map(({ from, to }) => slowRoot(leaves.slice(from, to)));

// Leaves and roots of the reference tree: transparency-dev/merkle, testonly/constants.go (Apache-2.0).
const referenceLeaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657']
  .concat('606162636465666768696a6b6c6d6e6f')
  .map((hex) => leafHash(Buffer.from(hex, 'hex').toString('latin1')));
const referenceRoots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

const size = fc.integer({ min: 1, max: 300 });
const indexAndSize = size.chain((n) =>
  fc.tuple(fc.integer({ min: 0, max: n - 1 }), fc.constant(n)),
);
const oldAndSize = size.chain((n) => fc.tuple(fc.integer({ min: 1, max: n }), fc.constant(n)));

describe('the tree', () => {
  it('has the roots of the reference tree', () => {
    expect(
      referenceRoots.map((_, n) => root(frontierOf(referenceLeaves.slice(0, n))).toString('hex')),
    ).toEqual(referenceRoots);
  });

  it('agrees with its recursive definition at every size', () => {
    fc.assert(
      fc.property(size, (n) => root(frontierOf(numbered(n))).equals(slowRoot(numbered(n)))),
    );
  });

  it('keeps no more hashes than its size has bits', () => {
    expect(frontierOf(numbered(1000)).peaks).toHaveLength(6);
  });

  it('names each complete subtree once, with its hash', () => {
    const leaves = numbered(77);
    const nodes: Node[] = [];
    leaves.reduce((frontier, leaf) => append(frontier, leaf, (n) => nodes.push(n)), emptyFrontier);
    expect(new Set(nodes.map(({ level, index }) => `${level}/${index}`)).size).toBe(nodes.length);
    expect(nodes).toHaveLength(38 + 19 + 9 + 4 + 2 + 1);
    for (const { level, index, hash } of nodes)
      expect(hash).toEqual(slowRoot(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level)));
  });

  it('is the fold of the complete subtrees of any span that a proof names', () => {
    fc.assert(
      fc.property(indexAndSize, ([index, n]) => {
        const leaves = numbered(n);
        return inclusionSpans(index, n).every((span) =>
          foldPeaks(hashes(leaves, completeSpans(span))).equals(hashes(leaves, [span])[0]!),
        );
      }),
    );
  });
});

describe('a proof of inclusion', () => {
  const claimOf = (leaves: readonly Buffer[], index: number) => ({
    leaf: leaves[index]!,
    index,
    size: leaves.length,
    root: slowRoot(leaves),
  });

  it('leads from any leaf to the root, and from no other place', () => {
    fc.assert(
      fc.property(indexAndSize, ([index, n]) => {
        const leaves = numbered(n);
        const proof = hashes(leaves, inclusionSpans(index, n));
        const claim = claimOf(leaves, index);
        expect(verifyInclusion(claim, proof)).toBe(true);
        for (const other of [index - 1, index + 1, index ^ 2, n])
          expect(other >= 0 && verifyInclusion({ ...claim, index: other }, proof)).toBe(false);
      }),
    );
  });

  it('is refused when a hash is changed, missing or too many', () => {
    fc.assert(
      fc.property(indexAndSize, fc.nat(), ([index, n], which) => {
        fc.pre(n > 1);
        const leaves = numbered(n);
        const claim = claimOf(leaves, index);
        const proof = hashes(leaves, inclusionSpans(index, n));
        const changed = proof.with(which % proof.length, leafHash('another'));
        expect(verifyInclusion(claim, changed)).toBe(false);
        expect(verifyInclusion(claim, proof.slice(1))).toBe(false);
        expect(verifyInclusion(claim, proof.slice(0, -1))).toBe(false);
        expect(verifyInclusion(claim, [...proof, leafHash('one more')])).toBe(false);
        expect(verifyInclusion({ ...claim, leaf: leafHash('another') }, proof)).toBe(false);
      }),
    );
  });

  it('follows the reference path of leaf 0 of 8, leaf 5 of 8, leaf 2 of 3 and leaf 1 of 5', () => {
    expect([
      inclusionSpans(0, 8),
      inclusionSpans(5, 8),
      inclusionSpans(2, 3),
      inclusionSpans(1, 5),
    ]).toEqual([
      [span(1, 2), span(2, 4), span(4, 8)],
      [span(4, 5), span(6, 8), span(0, 4)],
      [span(0, 2)],
      [span(0, 1), span(2, 4), span(4, 5)],
    ]);
  });
});

describe('a proof of consistency', () => {
  const headOf = (leaves: readonly Buffer[], n: number) => ({
    size: n,
    root: slowRoot(leaves.slice(0, n)),
  });

  it('shows that a tree begins with each of its earlier ones', () => {
    fc.assert(
      fc.property(oldAndSize, ([old, n]) => {
        const leaves = numbered(n);
        const proof = hashes(leaves, consistencySpans(old, n));
        return verifyConsistency(headOf(leaves, old), headOf(leaves, n), proof);
      }),
    );
  });

  it('is refused for a rewritten past, and when a hash is changed, missing or too many', () => {
    fc.assert(
      fc.property(oldAndSize, fc.nat(), ([old, n], which) => {
        fc.pre(old < n);
        const leaves = numbered(n);
        const [first, second] = [headOf(leaves, old), headOf(leaves, n)];
        const proof = hashes(leaves, consistencySpans(old, n));
        const rewritten = headOf(leaves.with(which % old, leafHash('another')), old);
        expect(verifyConsistency(rewritten, second, proof)).toBe(false);
        const changed = proof.with(which % proof.length, leafHash('another'));
        expect(verifyConsistency(first, second, changed)).toBe(false);
        expect(verifyConsistency(first, second, proof.slice(0, -1))).toBe(false);
        expect(verifyConsistency(first, second, [...proof, leafHash('one more')])).toBe(false);
        expect(verifyConsistency(second, first, proof)).toBe(false);
      }),
    );
  });

  it('proves nothing from the empty tree', () => {
    expect(verifyConsistency(headOf([], 0), headOf(referenceLeaves, 8), [])).toBe(false);
  });

  it('follows the reference path of 6 in 8, 2 in 5 and 1 in 8', () => {
    expect([consistencySpans(6, 8), consistencySpans(2, 5), consistencySpans(1, 8)]).toEqual([
      [span(4, 6), span(6, 8), span(0, 4)],
      [span(2, 4), span(4, 5)],
      [span(1, 2), span(2, 4), span(4, 8)],
    ]);
  });
});

function span(from: number, to: number): Span {
  return { from, to };
}
