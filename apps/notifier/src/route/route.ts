import { z } from 'zod';

/** A route takes an alert whose labels have one of the listed values for every name; the first match wins. */
export const route = z.strictObject({
  name: z.string().min(1),
  match: z.record(z.string(), z.union([z.string(), z.array(z.string()).min(1)])).default({}),
  channel: z.string().min(1),
  /** Go on with the routes below after this one matched. */
  continue: z.boolean().default(false),
});
export type Route = z.output<typeof route>;
export const routes = z.array(route);

const has = (wanted: string | readonly string[], value: string | undefined): boolean =>
  value !== undefined && (typeof wanted === 'string' ? wanted === value : wanted.includes(value));

export const matchesRoute = ({ match }: Route, labels: Readonly<Record<string, string>>): boolean =>
  Object.entries(match).every(([name, wanted]) => has(wanted, labels[name]));

/** The routes that take an alert, in their order; none if nobody is to be told. */
export function routesFor(
  all: readonly Route[],
  labels: Readonly<Record<string, string>>,
): readonly Route[] {
  const taken: Route[] = [];
  for (const each of all) {
    if (!matchesRoute(each, labels)) continue;
    taken.push(each);
    if (!each.continue) break;
  }
  return taken;
}
