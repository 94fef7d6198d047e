import { AppError } from '@tidegate/kernel';
import { open, rename, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { AuditErrorCode } from '../errors.ts';

/** End of the name of a file that is not whole. */
export const UNFINISHED = '.tmp';
const READ_ONLY = 0o440;

/**
 * Writes a file that then stays as it is. Under its name it is whole and on the disk, whenever the machine stops.
 * @param isSame compares what is there, if there is a file already: a crash may have come after it was written
 * Thrown AUDIT_ARCHIVE_DIFFERS when that is something else, and the errors of the file system.
 */
export async function writeOnce(
  path: string,
  write: (file: FileHandle) => Promise<void>,
  isSame: () => Promise<boolean>,
): Promise<void> {
  const unfinished = `${path}${UNFINISHED}`;
  await rm(unfinished, { force: true });
  const file = await open(unfinished, 'wx', READ_ONLY);
  try {
    await write(file);
    await file.sync();
  } finally {
    await file.close();
  }
  if (await exists(path)) {
    await rm(unfinished);
    if (await isSame()) return;
    throw new AppError<AuditErrorCode>(
      'AUDIT_ARCHIVE_DIFFERS',
      `${path} is there and says something else than the log. It was changed, or belongs to another log.`,
    );
  }
  await rename(unfinished, path);
  await syncFolder(dirname(path));
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** Makes a new name in the folder durable. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
