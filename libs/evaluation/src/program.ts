import { messageOf } from '@tidegate/kernel';
import { type Operator, segmentStateKey, type ViewRecord } from '@tidegate/contracts';
import {
  brokenFlag,
  type CompiledFlag,
  compileFlag,
  type FlagSurroundings,
  type LiveFlag,
} from './compiled-flag.ts';
import { compileSegment } from './compiled-segment.ts';
import type { Surroundings, Test } from './condition.ts';
import { Graph } from './graph.ts';
import {
  type Fault,
  FlagNode,
  isDisabled,
  type LiveSegment,
  nameOf,
  type Node,
  SegmentNode,
} from './node.ts';
import { cycleOf, idOf, isSegment, type Records } from './references.ts';

/** A comparison that cannot be made, and in which flag or segment it stands. */
export interface Mistyped {
  readonly of: 'flag' | 'segment';
  readonly key: string;
  readonly attribute: string;
  readonly operator: Operator;
}
export type MistypedPort = (mistyped: Mistyped) => void;

/** A node on the way down, and what it refers to that has not been looked at. */
interface Step {
  readonly id: string;
  readonly node: Node;
  readonly left: string[];
}

/** Why a node cannot be evaluated, and where the trouble began. */
interface Trouble {
  readonly sentence: string;
  readonly fault: Fault;
}

/** Every diamond of prerequisites doubles what has to be asked. */
const HIGHEST_COST = 1_000;
const NEVER: Test = () => false;

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
    return node.compiled ?? brokenFlag(node.record, `The ${nameOf(node)} cannot be compiled.`);
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
      } else if (node && node.compiled === undefined && !onPath.has(next)) {
        path.push(this.#step(next, node));
        onPath.add(next);
      }
    }
  }

  #step(id: string, node: Node): Step {
    return { id, node, left: isDisabled(node) ? [] : [...this.#graph.referredBy(id)] };
  }

  #node(id: string): Node | undefined {
    return this.flags.get(id) ?? this.#segments.get(id);
  }

  #compile(id: string, node: Node): void {
    const trouble = isDisabled(node) ? undefined : this.#troubleBelow(id, node);
    node.fault = trouble?.fault;
    if (node instanceof SegmentNode) node.compiled = trouble ? NEVER : this.#segment(node);
    else if (trouble) node.compiled = brokenFlag(node.record, trouble.sentence);
    else this.#compileFlag(node);
  }

  #compileFlag(node: FlagNode): void {
    const { record } = node;
    let made: CompiledFlag | string;
    try {
      made = compileFlag(record, this.#aroundFlag(record));
    } catch (error) {
      made = `The flag ${record.key} cannot be compiled: ${messageOf(error)}`;
    }
    if (typeof made === 'string') node.fault = { sentence: made, isCycle: false };
    node.compiled = typeof made === 'string' ? brokenFlag(record, made) : made;
  }

  #segment(node: SegmentNode): Test {
    const { key, segment } = node.record;
    try {
      return compileSegment(segment.definition, this.#around('segment', key));
    } catch (error) {
      const sentence = `The segment ${key} cannot be compiled: ${messageOf(error)}`;
      node.fault = { sentence, isCycle: false };
      return NEVER;
    }
  }

  /** Counts what may have to be asked. What is not compiled by now is waiting for this node: a cycle. */
  #troubleBelow(id: string, node: Node): Trouble | undefined {
    node.cost = 1;
    let first: Trouble | undefined;
    let isCycle = false;
    for (const each of this.#graph.referredBy(id)) {
      const below = this.#node(each);
      node.cost += below?.cost ?? 0;
      isCycle ||= below !== undefined && (!below.compiled || below.fault?.isCycle === true);
      first ??= troubleWith(each, below, nameOf(node));
    }
    const cycle = isCycle ? cycleOf(node.record, this.#enabled) : undefined;
    if (cycle)
      return begun(`The ${nameOf(node)} refers back to itself: ${cycle.join(' → ')}.`, true);
    if (first !== undefined || node.cost <= HIGHEST_COST) return first;
    return begun(`The ${nameOf(node)} asks more than ${HIGHEST_COST} flags and segments.`);
  }

  /** What a disabled flag refers to is not asked. */
  readonly #enabled: Records = {
    get: (key) => {
      const record = this.flags.get(key)?.record;
      return record?.flag.disabled ? undefined : record;
    },
    segment: (key) => this.#segments.get(segmentStateKey(key))?.record,
  };

  #aroundFlag({ key, flag: { disabled, definition } }: LiveFlag): FlagSurroundings {
    const named = disabled ? [] : (definition.prerequisites ?? []);
    const prerequisites = named.flatMap((prerequisite) => {
      const compiled = this.flags.get(prerequisite.flag)?.compiled;
      return compiled ? [{ ...prerequisite, compiled }] : [];
    });
    return { ...this.#around('flag', key), prerequisites };
  }

  #around(of: Mistyped['of'], key: string): Surroundings {
    const tell = this.#onMistyped;
    return {
      segment: (name) => this.#segments.get(segmentStateKey(name))?.compiled ?? NEVER,
      mistyped: tell && (({ attribute, operator }) => tell({ of, key, attribute, operator })),
    };
  }
}

const begun = (sentence: string, isCycle = false): Trouble => ({
  sentence,
  fault: { sentence, isCycle },
});

function troubleWith(id: string, node: Node | undefined, who: string): Trouble | undefined {
  if (!node) return begun(`The ${who} refers to ${id}, which does not exist.`);
  const { fault } = node;
  if (fault === undefined) return undefined;
  const sentence = `The ${who} refers to ${id}, which cannot be evaluated: ${fault.sentence}`;
  return { sentence, fault };
}
