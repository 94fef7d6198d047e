import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';

/** As they stand in the text, also in a comment. What the text names otherwise is not found. */
const RELATIVE_IMPORT = /\b(?:from|import|require)\s*\(?\s*(['"])(\.\.?\/.*?)\1/g;

/**
 * `sha256:…` of a file's text and, where it has relative imports, of theirs, and of what these import in turn: whatever of it
 * is edited, it is another one. What is imported from a package does not count.
 */
export async function hashOf(file: URL): Promise<string> {
  const texts = new Map<string, Buffer>();
  const left = [file];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    if (texts.has(next.pathname)) continue;
    const text = await textOf(next, next === file);
    if (!text) continue;
    texts.set(next.pathname, text);
    left.push(...importsOf(next, text.toString()));
  }
  const [own = Buffer.of(), ...imported] = [...texts.values()];
  if (imported.length === 0) return digestOf(own);
  const folder = posix.dirname(file.pathname);
  const digests = [...texts].map(
    ([path, text]) => `${posix.relative(folder, path)} ${digestOf(text)}`,
  );
  return digestOf(digests.sort().join('\n'));
}

const importsOf = (file: URL, text: string): readonly URL[] =>
  [...text.matchAll(RELATIVE_IMPORT)].map(([, , path = '']) => new URL(path, file));

const digestOf = (text: string | Buffer): string =>
  `sha256:${createHash('sha256').update(text).digest('hex')}`;

/** What a comment names may not be there. */
async function textOf(file: URL, isNeeded: boolean): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    const code = String((error as { code?: unknown }).code);
    if (!isNeeded && ['ENOENT', 'EISDIR', 'ENOTDIR'].includes(code)) return undefined;
    throw error;
  }
}
