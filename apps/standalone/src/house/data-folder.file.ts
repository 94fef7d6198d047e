import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, messageOf } from '@tidegate/kernel';

/** Of the layout below the folder; a release that changes it raises this and brings the old one over. */
const FORMAT = 1;

/**
 * Makes the folder if it is not there. Thrown STANDALONE_FOLDER_FOREIGN when it holds something else, or the data
 * of a release that this one cannot read; nothing in it is touched then.
 */
export function openDataFolder(folder: string): void {
  const file = join(folder, 'format');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (existsSync(file)) checkFormat(folder, readFileSync(file, 'utf8').trim());
    else if (readdirSync(folder).length > 0)
      throw foreign(
        `${folder} is not empty and not a data folder of Tidegate: choose another DATA_DIR.`,
      );
    else writeFileSync(file, `${FORMAT}\n`, { mode: 0o600 });
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw foreign(`${folder} cannot be used: ${messageOf(error)}`, error);
  }
}

function checkFormat(folder: string, format: string): void {
  if (format === String(FORMAT)) return;
  throw foreign(
    `${folder} has the format ${format}, and this release reads format ${FORMAT}: run the release that wrote it, or choose another DATA_DIR.`,
  );
}

const foreign = (message: string, cause?: unknown) =>
  new AppError('STANDALONE_FOLDER_FOREIGN', message, { cause });

/** The admin key that the folder keeps; made at first. */
export function adminKeyIn(folder: string): string {
  const file = join(folder, 'admin.key');
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  const key = `tg_admin_${randomBytes(24).toString('hex')}`;
  writeFileSync(file, `${key}\n`, { mode: 0o600 });
  return key;
}
