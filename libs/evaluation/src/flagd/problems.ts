/** Something in a flagd configuration that Tidegate cannot express; its flag is not imported. */
export interface FlagdProblem {
  /** Left out: of the whole file. */
  readonly flag?: string;
  /** Where in the flag's JSON, e.g. `targeting.if[0]`. */
  readonly where: string;
  readonly what: string;
}

/** Notes a problem and goes on, so that all of them are told at once. */
export type Report = (where: string, what: string) => void;

export type Json = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** More than that are longer than what is shown of them. */
const SHOWN_PARTS = 100;

export const shown = (value: unknown): string => {
  let left = SHOWN_PARTS;
  const some = (_: string, part: unknown): unknown => ((left -= 1) < 0 ? undefined : part);
  const text = JSON.stringify(value, some) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
};
