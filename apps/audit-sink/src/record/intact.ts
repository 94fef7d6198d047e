import { contentHash, lineOf, recordOf } from './line.ts';

/** True if the line is one that this release could have written at the position: every byte is covered. */
export function isIntact(line: string, position: number): boolean {
  try {
    const { manifest, salt, content } = recordOf(line);
    const salted =
      salt === null || content === null ? null : { salt, contentText: JSON.stringify(content) };
    const isContent =
      !salted || contentHash(salted.salt, salted.contentText) === manifest.contentHash;
    return manifest.position === position && isContent && lineOf(manifest, salted).text === line;
  } catch {
    return false; // what is no record at all is not intact either
  }
}
