import { isAppError } from '@tidegate/kernel';
import type { Document, Documents } from '@tidegate/store';
import type { StoredCheck } from './stored-check.ts';

/**
 * Saves what a check found, unless somebody else has checked the same and saved first: that counts. Where the check
 * was only made due earlier meanwhile it stays due. Resolves with when the next one is.
 */
export async function saveCheck(
  documents: Documents<StoredCheck>,
  id: string,
  state: StoredCheck,
  before: Document<StoredCheck> | undefined,
): Promise<number | null> {
  const version = (before?.version ?? 0) + 1;
  try {
    await documents.save(id, { state, version, outbox: [] }, before?.token ?? 0);
    return state.nextCheckAt;
  } catch (error) {
    if (!isAppError(error, 'STORE_VERSION_CONFLICT')) throw error;
  }
  const now = await documents.load(id);
  if (!now || !before || now.state.lastCheckAt !== before.state.lastCheckAt)
    return state.nextCheckAt;
  return saveCheck(documents, id, { ...state, nextCheckAt: now.state.nextCheckAt }, now);
}
