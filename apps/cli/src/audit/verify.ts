import { AppError } from '@tidegate/kernel';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Continuity } from './continuity.ts';
import { Findings } from './findings.ts';
import { givenKeys, type Keys, keysIn, namesIn } from './keys.ts';
import { type Expected, RangeCheck, type Start } from './range.ts';
import type { VerifyReport } from './report.ts';
import { isSigned, readSealFile, type SealFile } from './seal-file.ts';
import { Tree } from './tree.ts';

export interface VerifyOptions {
  /** Files with public keys that are trusted; without, those in the archive. */
  readonly keyFiles?: readonly string[];
  /** `<root>:<size>`, as a seal on the bus or an earlier report has it. */
  readonly expectSeal?: string;
}

/**
 * Proves an archive of audit-sink, or says what is wrong with it and where. Needs nothing but the folder, reads
 * each file once, in constant memory. Thrown CLI_FILE_UNREADABLE for a key, CLI_USAGE for a seal of another form.
 */
export async function verifyArchive(
  folder: string,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  const findings = new Findings();
  const expected = options.expectSeal === undefined ? undefined : expectedIn(options.expectSeal);
  const keyPinned = (options.keyFiles ?? []).length > 0;
  const keys = keyPinned ? await givenKeys(options.keyFiles ?? []) : await keysIn(folder, findings);
  const verification = new Verification(folder, keys, findings, expected);
  await verification.run();
  const { newest, seals, segments, isExpectedMet } = verification;
  const unsealedFiles = await verification.lookForOthers();
  if (expected && !isExpectedMet)
    findings.add(unexpected(expected, newest?.seal.size ?? 0, isExpectedMet));
  return {
    proven: findings.count === 0,
    folder,
    records: newest?.seal.size ?? 0,
    redacted: findings.redacted,
    gaps: findings.gaps,
    segments,
    seals,
    ...(newest ? { newest: headOf(newest) } : {}),
    keyPinned,
    ...(expected ? { sealExpected: isExpectedMet === true } : {}),
    unsealedFiles,
    problems: findings.problems,
    moreProblems: findings.more,
  };
}

function emptyBecause(folder: string): string {
  if (!existsSync(folder)) return `There is no folder ${folder}.`;
  const within = join(folder, 'archive');
  return existsSync(join(within, 'seals'))
    ? `There is no seal in ${folder}; the archive is ${within}.`
    : `There is no seal in ${folder}, so nothing that it proves.`;
}

/** One run over the seals of an archive, oldest first, and the records between them. */
class Verification {
  readonly #folder: string;
  readonly #keys: Keys;
  readonly #findings: Findings;
  readonly #expected: Expected | undefined;
  readonly #listed = new Set<string>();
  readonly #unknownKeys = new Set<string>();
  newest: SealFile | undefined;
  seals = 0;
  segments = 0;
  isExpectedMet: boolean | undefined;

  constructor(folder: string, keys: Keys, findings: Findings, expected: Expected | undefined) {
    this.#folder = folder;
    this.#keys = keys;
    this.#findings = findings;
    this.#expected = expected;
  }

  async run(): Promise<void> {
    let start: Start = { tree: new Tree(), isAnchored: true };
    const continuity = new Continuity();
    for (const name of await namesIn(join(this.#folder, 'seals'))) {
      if (name.endsWith('.tmp')) continue;
      const file = await this.#sealIn(`seals/${name}`);
      if (file) start = await this.#range(start, file, continuity);
    }
    if (this.seals > 0) return;
    this.#findings.add({ kind: 'archive-empty', message: emptyBecause(this.#folder) });
  }

  /** Files that no seal lists; returns how many of them are merely not sealed yet. */
  async lookForOthers(): Promise<number> {
    const size = this.newest?.seal.size ?? 0;
    let unsealed = 0;
    for (const name of await namesIn(join(this.#folder, 'segments'))) {
      const file = `segments/${name}`;
      if (name.endsWith('.tmp') || this.#listed.has(file)) continue;
      if (Number(/^(\d{15})-/.exec(name)?.[1] ?? -1) >= size) unsealed += 1;
      else this.#findings.add({ kind: 'file-unknown', file, message: `No seal lists ${file}.` });
    }
    return unsealed;
  }

  async #sealIn(file: string): Promise<SealFile | undefined> {
    const read = readSealFile(await readFile(join(this.#folder, file), 'utf8'));
    if ('unreadable' in read) {
      const message = `The seal ${file} cannot be read: ${read.unreadable}`;
      this.#findings.add({ kind: 'seal-unreadable', file, message });
      return undefined;
    }
    if (file === `seals/${String(read.seal.size).padStart(15, '0')}.json`) return read;
    const message = `The seal ${file} is of ${read.seal.size} records, which is not what its name says.`;
    this.#findings.add({ kind: 'seal-forged', file, message });
    return undefined;
  }

  async #range(start: Start, file: SealFile, continuity: Continuity): Promise<Start> {
    const { size, root } = file.seal;
    const peaks = Tree.of(
      size,
      file.peaks.map((peak) => Buffer.from(peak, 'base64')),
    );
    const isTrusted = this.#isTrusted(file, peaks?.root() === root);
    for (const segment of file.segments) this.#listed.add(segment.file);
    const check = new RangeCheck(start, file, {
      folder: this.#folder,
      findings: this.#findings,
      continuity,
      expected: this.#expected,
    });
    await check.run(isTrusted);
    this.newest = file;
    this.seals += 1;
    this.segments += file.segments.length;
    this.isExpectedMet ??= check.isExpectedMet;
    if (isTrusted && this.#expected?.size === size)
      this.isExpectedMet = this.#expected.root === root;
    return isTrusted && peaks ? { tree: peaks, isAnchored: true } : check.end;
  }

  /** True if the seal says what was once signed, as far as the keys at hand can tell. */
  #isTrusted({ seal }: SealFile, arePeaksRight: boolean): boolean {
    const forged = (why: string) => {
      const message = `Seal ${seal.size} was forged or changed: ${why}.`;
      this.#findings.add({ kind: 'seal-forged', position: seal.size - 1, message });
      return false;
    };
    const key = this.#keys.get(seal.keyId);
    if (!key && !this.#unknownKeys.has(seal.keyId)) {
      this.#unknownKeys.add(seal.keyId);
      const message = `Seal ${seal.size} is signed with the key ${seal.keyId}, which is not at hand.`;
      this.#findings.add({ kind: 'key-unknown', message });
    }
    if (key && !isSigned(seal, key)) return forged('its signature is not of what it says');
    return arePeaksRight || forged('its subtrees do not lead to its root');
  }
}

function expectedIn(text: string): Expected {
  const match = /^([A-Za-z0-9+/]{43}=):(\d{1,15})$/.exec(text);
  if (match?.[1] === undefined)
    throw new AppError('CLI_USAGE', `A seal is <root>:<size>, the root in base64; ${text} is not.`);
  return { root: match[1], size: Number(match[2]) };
}

function unexpected({ root, size }: Expected, newest: number, isMet: boolean | undefined) {
  if (size > newest)
    return {
      kind: 'archive-behind',
      position: newest,
      to: size - 1,
      message: `The archive ends after ${newest} records, but ${size} were sealed: records ${newest} to ${size - 1} are missing.`,
    } as const;
  const message =
    isMet === undefined
      ? `Whether its first ${size} records have the root ${root} cannot be told: some are missing.`
      : `Its first ${size} records do not have the root ${root}.`;
  return { kind: 'seal-unexpected', position: size - 1, message } as const;
}

const headOf = ({ seal: { size, root, sealedAt, keyId } }: SealFile) => ({
  size,
  root,
  sealedAt,
  keyId,
});
