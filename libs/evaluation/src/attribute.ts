import type { EvaluationContext } from './details.ts';

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
