import * as breach from './breach.ts';
import * as flagCommands from './flag-commands.ts';
import * as flagEvents from './flag-events.ts';
import * as judgementEvents from './judgement-events.ts';
import type { MessageDefinition } from './message.ts';
import * as migration from './migration.ts';
import * as notification from './notification.ts';
import * as operations from './operations.ts';
import * as referenceEvents from './reference-events.ts';
import * as rolloutCommands from './rollout-commands.ts';
import * as rolloutEvents from './rollout-events.ts';
import * as segments from './segment.ts';
import * as signals from './signal.ts';

const isDefinition = (value: unknown): value is MessageDefinition =>
  typeof value === 'object' && value !== null && 'wire' in value && 'example' in value;

/** Every message there is. The one list: topics, schemas, documents and codecs come from it. */
export const catalogue: readonly MessageDefinition[] = [
  flagCommands,
  flagEvents,
  segments,
  rolloutCommands,
  rolloutEvents,
  judgementEvents,
  referenceEvents,
  breach,
  signals,
  migration,
  notification,
  operations,
].flatMap((noun) => Object.values(noun).filter(isDefinition));

const byType = new Map(catalogue.map((definition) => [definition.type, definition]));
const byWire = new Map(catalogue.map((definition) => [definition.wire, definition]));

export const definitionOf = (type: string): MessageDefinition | undefined => byType.get(type);
export const definitionOfWire = (wire: string): MessageDefinition | undefined => byWire.get(wire);

/** `tidegate.flag.disabled.v1` → [`tidegate.flag.disabled`, 1]; undefined if it is not of that form. */
export function splitWire(wire: string): readonly [string, number] | undefined {
  const match = /^(.+)\.v(\d+)$/.exec(wire);
  return match?.[1] === undefined ? undefined : [match[1], Number(match[2])];
}

/** True if some version of the wire name is ours: then an unknown one is a version we do not know. */
export function isKnownName(wire: string): boolean {
  const name = splitWire(wire)?.[0];
  return name !== undefined && catalogue.some((d) => splitWire(d.wire)?.[0] === name);
}
