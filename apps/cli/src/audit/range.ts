import { join } from 'node:path';
import type { Continuity } from './continuity.ts';
import type { Findings } from './findings.ts';
import { missing, orderProblems } from './order.ts';
import { readLine } from './record-line.ts';
import type { SealFile, Segment } from './seal-file.ts';
import { readSegment } from './segment.ts';
import type { Tree } from './tree.ts';

/** A root to look for when the tree has this size. */
export interface Expected {
  readonly size: number;
  readonly root: string;
}

export interface RangeOptions {
  readonly folder: string;
  readonly findings: Findings;
  readonly continuity: Continuity;
  readonly expected: Expected | undefined;
}

/** The tree before a range; not anchored if no trusted seal says that it is the right one. */
export interface Start {
  readonly tree: Tree;
  readonly isAnchored: boolean;
}

/**
 * The records between two seals: each line by itself, their order, and whether they lead from the tree of the
 * one seal to the root of the other. A line holds its own leaf hash, so that a root that does not fit can be traced
 * to the line that was changed.
 */
export class RangeCheck {
  readonly #options: RangeOptions;
  readonly #to: SealFile;
  readonly #from: number;
  /** Of the leaves as the lines say them, and as their manifests make them, from where they differ. */
  #claimed: Tree;
  #computed: Tree | undefined;
  #isWhole: boolean;
  #isExpectedMet: boolean | undefined;

  constructor(start: Start, to: SealFile, options: RangeOptions) {
    this.#options = options;
    this.#to = to;
    this.#from = start.tree.size;
    this.#claimed = start.tree.copy();
    this.#isWhole = start.isAnchored;
  }

  /** Where the range ends; anchored if all records are there, each at its place, from an anchored start. */
  get end(): Start {
    return { tree: this.#claimed, isAnchored: this.#isWhole };
  }

  /** Whether the tree had the expected root when it had the expected size; undefined if that could not be told. */
  get isExpectedMet(): boolean | undefined {
    return this.#isExpectedMet;
  }

  /** @param isSealTrusted if not, its root says nothing about the records */
  async run(isSealTrusted: boolean): Promise<void> {
    let next = this.#from;
    for (const segment of this.#to.segments) {
      this.#reach(segment.from, next);
      await this.#segment(segment);
      next = segment.from + segment.count;
    }
    this.#reach(this.#to.seal.size, next);
    if (isSealTrusted) this.#holdAgainstSeal();
  }

  #reach(position: number, next: number): void {
    if (position > next) this.#miss(missing(next, position - 1));
    if (position < next) {
      const message = `The segments of seal ${this.#to.seal.size} overlap at record ${position}.`;
      this.#miss({ kind: 'seal-forged', position, message });
    }
  }

  #miss(problem: Parameters<Findings['add']>[0]): void {
    this.#isWhole = false;
    this.#options.continuity.lose();
    this.#options.findings.add(problem);
  }

  async #segment(segment: Segment): Promise<void> {
    const { findings, folder } = this.#options;
    const { file, from, count } = segment;
    const to = from + count - 1;
    const before = findings.count;
    const positions: number[] = [];
    const read = await readSegment(join(folder, file), (line) => {
      if (positions.length <= count + 1)
        positions.push(this.#line(line, positions.at(-1) ?? from - 1));
    }).catch((error: NodeJS.ErrnoException) => error.code ?? 'unreadable');
    if (typeof read === 'string') {
      const message = `${file} with records ${from} to ${to} is missing or cannot be opened (${read}).`;
      return this.#miss({ kind: 'segment-missing', position: from, to, file, message });
    }
    const isInOrder =
      positions.length === count && positions.every((position, i) => position === from + i);
    if (read.damage !== undefined) {
      const position = from + positions.length;
      const message = `${file} is damaged at record ${position}: ${read.damage}.`;
      this.#miss({ kind: 'segment-damaged', position, to, file, message });
    }
    if (!isInOrder) for (const problem of orderProblems(segment, positions)) this.#miss(problem);
    const isDigested = read.sha256 === segment.sha256 && read.bytes === segment.bytes;
    if (isDigested || findings.count > before) return;
    const message = `${file} with records ${from} to ${to} is not the file that was sealed, though its records are.`;
    findings.add({ kind: 'segment-changed', position: from, to, file, message });
  }

  /** Checks one line; returns the position that it stands for. */
  #line(bytes: Buffer, previous: number): number {
    const { findings } = this.#options;
    const line = readLine(bytes);
    if (!line) {
      const position = previous + 1;
      const message = `Record ${position} cannot be read.`;
      this.#miss({ kind: 'record-unreadable', position, message });
      return position;
    }
    const { claimed, computed, manifest, content } = line;
    const isIntact = claimed.equals(computed);
    const position = isIntact ? manifest.position : previous + 1;
    if (!isIntact) {
      const message = `Record ${position} was changed: its manifest is not what its leaf hash says.`;
      findings.add({ kind: 'record-changed', position, message });
      this.#computed ??= this.#claimed.copy();
    }
    this.#claimed.add(claimed);
    this.#computed?.add(computed);
    this.#lookForExpected();
    if (content === 'changed') {
      const message = `Record ${position} was changed: its content is not what its manifest says.`;
      findings.add({ kind: 'record-changed', position, message });
    }
    if (content === 'redacted') findings.redacted += 1;
    if (manifest.kind === 'gap') findings.gaps += 1;
    if (!isIntact || position !== previous + 1) this.#options.continuity.lose();
    this.#followOffsets(manifest, position);
    return position;
  }

  #followOffsets(manifest: Parameters<Continuity['follows']>[0], position: number): void {
    const { continuity, findings } = this.#options;
    const { topic, partition, offset } = manifest.origin;
    if (continuity.follows(manifest)) return;
    const message = `Record ${position} is offset ${offset} of ${topic}/${partition}, which does not follow the one before; no gap says why.`;
    findings.add({ kind: 'origin-skipped', position, message });
  }

  #lookForExpected(): void {
    const { expected } = this.#options;
    if (!this.#isWhole || this.#claimed.size !== expected?.size) return;
    this.#isExpectedMet =
      this.#claimed.root() === expected.root || this.#computed?.root() === expected.root;
  }

  #holdAgainstSeal(): void {
    const { seal } = this.#to;
    if (!this.#isWhole) return;
    if (this.#claimed.root() === seal.root || this.#computed?.root() === seal.root) return;
    const [position, to] = [this.#from, seal.size - 1];
    this.#miss({
      kind: 'records-changed',
      position,
      to,
      message: `Records ${position} to ${to} are not what was sealed: they do not lead to the root of seal ${seal.size}, though each fits its own hashes.`,
    });
  }
}
