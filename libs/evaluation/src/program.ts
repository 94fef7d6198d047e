import { messageOf } from '@tidegate/kernel';
import {
  type Comparison,
  type Operator,
  type Segment,
  segmentStateKey,
  type SegmentRecord,
  type ViewRecord,
} from '@tidegate/contracts';
import { brokenFlag, type CompiledFlag, compileFlag, type LiveFlag } from './compiled-flag.ts';
import { compileSegment } from './compiled-segment.ts';
import type { Surroundings, Test } from './condition.ts';
import { Graph } from './graph.ts';
import type { PrerequisiteFlag } from './prerequisite.ts';
import { idOf, isSegment } from './references.ts';

/** A comparison that cannot be made, and in which flag or segment it stands. */
export interface Mistyped {
  readonly of: 'flag' | 'segment';
  readonly key: string;
  readonly attribute: string;
  readonly operator: Operator;
}
export type MistypedPort = (mistyped: Mistyped) => void;

type LiveSegment = SegmentRecord & { readonly segment: Segment };

export class FlagNode {
  readonly record: LiveFlag;
  compiled: CompiledFlag | undefined;
  cost = 1;
  constructor(record: LiveFlag) {
    this.record = record;
  }
}

class SegmentNode {
  readonly record: LiveSegment;
  /** A sentence if it cannot be asked. */
  compiled: Test | string | undefined;
  cost = 1;
  constructor(record: LiveSegment) {
    this.record = record;
  }
}

type Node = FlagNode | SegmentNode;

/** A node on the way down, and what it refers to that has not been looked at. */
interface Step {
  readonly id: string;
  readonly node: Node;
  readonly left: string[];
}

/** Flags and segments that one answer may have to ask. Every diamond of prerequisites doubles what is asked. */
const HIGHEST_COST = 1_000;

/** Flags and segments with what refers to what: each is compiled when it is first needed, what it refers to before it. */
export class Program {
  readonly flags = new Map<string, FlagNode>();
  readonly #segments = new Map<string, SegmentNode>();
  readonly #graph = new Graph();
  readonly #onMistyped: MistypedPort | undefined;

  constructor(onMistyped: MistypedPort | undefined) {
    this.#onMistyped = onMistyped;
  }

  put(record: ViewRecord): void {
    const id = idOf(record);
    if (isSegment(record)) {
      if (record.segment === null) this.#segments.delete(id);
      else this.#segments.set(id, new SegmentNode(record as LiveSegment));
    } else if (record.flag === null) this.flags.delete(id);
    else this.flags.set(id, new FlagNode(record as LiveFlag));
    this.#graph.put(record);
    for (const each of this.#graph.referringTo(id)) {
      const node = this.#node(each);
      if (node) node.compiled = undefined;
    }
  }

  dependents(record: ViewRecord): string[] {
    const id = idOf(record);
    return [...this.#graph.referringTo(id)].filter((each) => each !== id && this.flags.has(each));
  }

  compiled(node: FlagNode): CompiledFlag {
    this.#compileInOrder(node);
    return node.compiled ?? brokenFlag(node.record, 'The flag cannot be compiled.');
  }

  #node(id: string): Node | undefined {
    return this.flags.get(id) ?? this.#segments.get(id);
  }

  /** What a node refers to comes first. Without recursion: chains may be long. */
  #compileInOrder(start: Node): void {
    const path = [this.#step(idOf(start.record), start)];
    const onPath = new Set([idOf(start.record)]);
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const next = top.left.pop();
      const node = next === undefined ? undefined : this.#node(next);
      if (next === undefined) {
        this.#compile(top.id, top.node);
        onPath.delete(top.id);
        path.pop();
      } else if (onPath.has(next)) {
        const ids = path.map(({ id }) => id);
        this.#breakCycle(ids.slice(ids.indexOf(next)));
      } else if (node && node.compiled === undefined) {
        path.push(this.#step(next, node));
        onPath.add(next);
      }
    }
  }

  #step(id: string, node: Node): Step {
    return { id, node, left: isDisabled(node) ? [] : [...this.#graph.referredBy(id)] };
  }

  #breakCycle(ids: readonly string[]): void {
    for (const [index, id] of ids.entries()) {
      const node = this.#node(id);
      if (!node) continue;
      const cycle = [...ids.slice(index), ...ids.slice(0, index + 1)].join(' → ');
      if (node instanceof FlagNode)
        node.compiled ??= brokenFlag(
          node.record,
          `The prerequisites of the flag ${node.record.key} lead back to it: ${cycle}.`,
        );
      else node.compiled ??= `The segment ${node.record.key} refers to itself: ${cycle}.`;
    }
  }

  #compile(id: string, node: Node): void {
    if (node.compiled !== undefined) return;
    node.cost = this.#graph
      .referredBy(id)
      .reduce((sum, each) => sum + (this.#node(each)?.cost ?? 0), 1);
    if (node instanceof FlagNode) node.compiled = this.#compileFlag(node);
    else node.compiled = this.#compileSegment(node);
  }

  #compileFlag({ record, cost }: FlagNode): CompiledFlag {
    try {
      const around = record.flag.disabled
        ? { ...this.#around('flag', record.key), prerequisites: [] }
        : this.#aroundFlag(record, cost);
      const made = typeof around === 'string' ? around : compileFlag(record, around);
      return typeof made === 'string' ? brokenFlag(record, made) : made;
    } catch (error) {
      return brokenFlag(record, `The flag ${record.key} cannot be compiled: ${messageOf(error)}`);
    }
  }

  #compileSegment({ record, cost }: SegmentNode): Test | string {
    const { key, segment } = record;
    const problem = this.#problemBelow(`segment ${key}`, segmentStateKey(key), cost);
    if (problem !== undefined) return problem;
    try {
      return compileSegment(segment.definition, this.#around('segment', key));
    } catch (error) {
      return `The segment ${key} cannot be compiled: ${messageOf(error)}`;
    }
  }

  #aroundFlag({ key, flag }: LiveFlag, cost: number) {
    const problem = this.#problemBelow(`flag ${key}`, key, cost);
    if (problem !== undefined) return problem;
    const prerequisites: PrerequisiteFlag[] = [];
    for (const prerequisite of flag.definition.prerequisites ?? []) {
      const compiled = this.flags.get(prerequisite.flag)?.compiled;
      if (compiled) prerequisites.push({ ...prerequisite, compiled });
    }
    return { ...this.#around('flag', key), prerequisites };
  }

  /** Why what is referred to cannot be used. */
  #problemBelow(who: string, id: string, cost: number): string | undefined {
    if (cost > HIGHEST_COST) return `The ${who} asks more than ${HIGHEST_COST} flags and segments.`;
    for (const each of this.#graph.referredBy(id)) {
      const node = this.#node(each);
      if (!node) return `The ${who} refers to ${each}, which does not exist.`;
      const problem = problemOf(node);
      if (problem !== undefined)
        return `The ${who} refers to ${each}, which cannot be evaluated: ${problem}`;
    }
    return undefined;
  }

  #around(of: Mistyped['of'], key: string): Surroundings {
    const tell = this.#onMistyped;
    return {
      segment: (name) => {
        const test = this.#segments.get(segmentStateKey(name))?.compiled;
        return typeof test === 'function' ? test : () => false;
      },
      mistyped:
        tell &&
        (({ attribute, operator }: Comparison) => {
          tell({ of, key, attribute, operator });
        }),
    };
  }
}

const isDisabled = (node: Node): boolean =>
  node instanceof FlagNode && node.record.flag.disabled !== undefined;

function problemOf({ compiled }: Node): string | undefined {
  if (typeof compiled === 'string') return compiled;
  if (typeof compiled === 'object' && compiled.valueType === 'none')
    return compiled.serve({}, undefined).errorMessage;
  return undefined;
}
