import { z } from 'zod';
import { type LabelName, severities, toldTypes } from '../alert/alert.ts';

const oneOrMore = (value: z.ZodType<string>) => z.union([value, z.array(value).min(1)]);
const anything = oneOrMore(z.string().min(1));
/** A label that no alert has, or a value that it never has, would match nothing in silence. */
const match = z
  .strictObject({
    event: oneOrMore(z.enum(toldTypes)),
    severity: oneOrMore(z.enum(severities)),
    environment: anything,
    plan: anything,
    flag: anything,
    rollout: anything,
    migration: anything,
    group: anything,
  } satisfies Record<LabelName, unknown>)
  .partial();

/** A route takes an alert whose labels have one of the listed values for every name; the first match wins. */
export const route = z.strictObject({
  name: z.string().min(1),
  match: match.default({}),
  channel: z.string().min(1),
  /** Go on with the routes below after this one matched. */
  continue: z.boolean().default(false),
});
export type Route = z.output<typeof route>;
export const routes = z.array(route);

const has = (wanted: string | readonly string[], value: string | undefined): boolean =>
  value !== undefined && (typeof wanted === 'string' ? wanted === value : wanted.includes(value));

export const matchesRoute = ({ match }: Route, labels: Readonly<Record<string, string>>): boolean =>
  Object.entries(match).every(
    ([name, wanted]) => wanted === undefined || has(wanted, labels[name]),
  );

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
