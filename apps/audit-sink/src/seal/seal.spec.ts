import { describe, expect, it } from '@jest/globals';
import { specification } from '@tidegate/kernel/testing';
import {
  decide,
  evolve,
  initial,
  isSealDue,
  type Seal,
  type SealTree,
  signedBytes,
} from './seal.ts';

const seal = (size: number): Seal => ({
  log: 'audit',
  size,
  root: 'cm9vdA==',
  firstAt: 5,
  lastAt: 9,
  sealedAt: 10,
  keyId: 'ed25519:00',
  signature: 'c2ln',
});
const sealTree = (size: number): SealTree => ({
  type: 'SealTree',
  data: seal(size),
  metadata: { id: 'c', source: 'audit-sink', at: 10, actor: 'audit-sink', correlationId: 'c' },
});
const sealed = (size: number) => ({ type: 'TreeSealed' as const, data: seal(size) });
const given = specification({ initial, decide, evolve });

describe('sealing', () => {
  it('publishes the head of a log that has grown', () => {
    given([])
      .when(sealTree(3))
      .then([sealed(3)]);
    given([sealed(3)])
      .when(sealTree(4))
      .then([sealed(4)]);
  });

  it('changes nothing while the log has not grown', () => {
    given([sealed(3)])
      .when(sealTree(3))
      .then([]);
  });

  it('refuses a log that is shorter than it was', () => {
    given([sealed(3)])
      .when(sealTree(2))
      .thenRejected('SEAL_BEHIND');
  });

  it('signs every field, one on a line, under a version', () => {
    expect(signedBytes(seal(7)).toString()).toBe(
      'tidegate-tree-head/v1\naudit\n7\ncm9vdA==\n5\n9\n10\ned25519:00\n',
    );
    const { firstAt: _, lastAt: __, ...timeless } = seal(7);
    expect(signedBytes(timeless).toString()).toContain('\n-\n-\n10\n');
  });
});

describe('a seal is due', () => {
  const policy = { everyRecords: 100, everyMs: 1_000 };
  it.each([
    [{ by: 0, sinceMs: 5_000 }, false],
    [{ by: 1, sinceMs: 999 }, false],
    [{ by: 1, sinceMs: 1_000 }, true],
    [{ by: 99, sinceMs: 0 }, false],
    [{ by: 100, sinceMs: 0 }, true],
  ])('%j: %s', (grown, isDue) => {
    expect(isSealDue(policy, grown)).toBe(isDue);
  });
});
