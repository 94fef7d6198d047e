import { join } from 'node:path';
import { AppError, isRejection } from '@tidegate/kernel';
import { namesIn } from '../audit/keys.ts';
import { readLine } from '../audit/record-line.ts';
import { readSegment } from '../audit/segment.ts';
import { type Content, toldIn } from './decision.ts';
import { type Found, Gathered } from './gathered.ts';

/**
 * What an archive of audit-sink says of a rollout, sealed or not: read once, in constant memory. A record that does not
 * fit its own hashes is named; whether all are there and in order is for `tidegate audit verify` to say.
 * Thrown CLI_FILE_UNREADABLE when it is no archive.
 */
export async function inArchive(folder: string, rollout: string): Promise<Found> {
  const names = (await namesIn(join(folder, 'segments'))).filter((name) => !name.endsWith('.tmp'));
  if (names.length === 0) throw noArchive(folder);
  const gathered = new Gathered();
  const named = JSON.stringify(rollout);
  for (const name of names) {
    const { damage } = await readSegment(join(folder, 'segments', name), (line) => {
      if (line.includes(named)) take(gathered, line, rollout);
    });
    if (damage !== undefined) gathered.problem(`segments/${name} is damaged: ${damage}.`);
  }
  return gathered.found;
}

function take(gathered: Gathered, line: Buffer, rollout: string): void {
  const read = readLine(line);
  if (!read) return gathered.problem('A record cannot be read.');
  const { position } = read.manifest;
  const { content } = JSON.parse(line.toString('utf8')) as { content: Content | null };
  const told = content && toldIn(content, rollout);
  if (!told) return;
  if (!read.claimed.equals(read.computed) || read.content !== 'intact')
    gathered.problem(`Record ${position} was changed: it does not fit its own hash.`);
  if (isRejection(told)) return gathered.problem(`Record ${position}: ${told.message}`);
  gathered.take(told, position);
}

const noArchive = (folder: string): AppError =>
  new AppError(
    'CLI_FILE_UNREADABLE',
    `There are no segments in ${folder}. An archive is the folder that \`tidegate audit verify\` reads: audit/archive in audit-sink's data folder.`,
  );
