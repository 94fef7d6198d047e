import { TreeSealed, type DraftOf } from '@tidegate/contracts';
import { type Command, type Decision, type Fact, reject } from '@tidegate/kernel';

export type Seal = DraftOf<typeof TreeSealed>['data'];
export type UnsignedSeal = Omit<Seal, 'signature'>;

/** The name of the one log there is. */
export const LOG_NAME = 'audit';

/**
 * What a signature covers, UTF-8, every line ended by a line feed:
 *
 *     tidegate-tree-head/v1
 *     <log>
 *     <size, decimal>
 *     <root, base64>
 *     <firstAt, ms since 1970, or - for none>
 *     <lastAt, likewise>
 *     <sealedAt>
 *     <keyId>
 */
export const signedBytes = ({ log, size, root, firstAt, lastAt, sealedAt, keyId }: UnsignedSeal) =>
  Buffer.from(
    [
      'tidegate-tree-head/v1',
      log,
      size,
      root,
      firstAt ?? '-',
      lastAt ?? '-',
      sealedAt,
      keyId,
      '',
    ].join('\n'),
  );

/** The document behind the seals: the newest one. */
export type Sealed =
  { readonly status: 'unsealed' } | { readonly status: 'sealed'; readonly seal: Seal };

export interface SealTree extends Command {
  readonly type: 'SealTree';
  readonly data: Seal;
}

type TreeSealedDraft = DraftOf<typeof TreeSealed>;

export const initial: Sealed = { status: 'unsealed' };

/** The log only grows: a seal of the same size changes nothing, a smaller one is refused. */
export function decide({ data }: SealTree, sealed: Sealed): Decision<TreeSealedDraft> {
  const size = sealed.status === 'sealed' ? sealed.seal.size : 0;
  if (data.size < size)
    return reject('SEAL_BEHIND', `The log is sealed up to ${size}; ${data.size} is behind that.`);
  return data.size === size ? [] : [{ type: TreeSealed.type, data }];
}

export const evolve = (_sealed: Sealed, { data }: Fact<TreeSealedDraft>): Sealed => ({
  status: 'sealed',
  seal: data,
});

/** When the log must be sealed. */
export interface SealPolicy {
  readonly everyRecords: number;
  readonly everyMs: number;
}

/** True if the log has grown, and by enough or for long enough. `sealedAt`: of the last seal, or of the start. */
export const isSealDue = (
  policy: SealPolicy,
  grown: { readonly by: number; readonly sinceMs: number },
): boolean => grown.by > 0 && (grown.by >= policy.everyRecords || grown.sinceMs >= policy.everyMs);
