import type { EvaluationContext } from './details.ts';

export const TARGETING_KEY = 'targetingKey';

/** A text that is not empty: that would put all anonymous units in one bucket. */
export function targetingKeyOf(context: EvaluationContext): string | undefined {
  if (!Object.hasOwn(context, TARGETING_KEY)) return undefined;
  const key: unknown = context.targetingKey;
  return typeof key === 'string' && key !== '' ? key : undefined;
}

/** What is found at a path of the context; undefined if nothing is. */
export type Reader = (context: EvaluationContext) => unknown;

/** Dots lead into objects. Own properties only: what a prototype has is nobody's attribute. */
export function reader(path: string): Reader {
  if (!path.includes('.')) return (context) => own(context, path);
  const names = path.split('.');
  return (context) => {
    let found: unknown = context;
    for (const name of names) found = own(found, name);
    return found;
  };
}

/** The object's own property; undefined if it has none, or is no object. */
export const own = (holder: unknown, name: string): unknown =>
  typeof holder === 'object' && holder !== null && Object.hasOwn(holder, name)
    ? (holder as Readonly<Record<string, unknown>>)[name]
    : undefined;
