interface Source {
  readonly source?: string;
}
type Reviver = (this: unknown, name: string, value: unknown, context?: Source) => unknown;

const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };
const MAX_INTEGER = 2n ** 63n;

/** JSON as a database keeps it: integers of 64 bits that a number cannot hold are bigints. */
export const parseJson = (text: string): unknown =>
  /\d{16}/.test(text)
    ? JSON.parse(text, integers as Parameters<typeof JSON.parse>[1])
    : JSON.parse(text);

const integers: Reviver = (_name, value, context) => {
  const source = context?.source ?? '';
  if (typeof value !== 'number' || Number.isSafeInteger(value) || !/^-?\d+$/.test(source))
    return value;
  const integer = BigInt(source);
  const isLarge = integer >= MAX_INTEGER || integer < -MAX_INTEGER;
  return isLarge && BigInt(value) === integer ? value : integer;
};

/** Back again. Thrown RangeError for what JSON cannot say. */
export const jsonOf = (value: unknown): string =>
  JSON.stringify(value ?? null, (_name, each: unknown) => {
    if (typeof each === 'bigint') return rawJSON(String(each));
    if (typeof each === 'number' && !Number.isFinite(each))
      throw new RangeError(`JSON has no ${each}.`);
    if (ArrayBuffer.isView(each)) throw new RangeError('JSON has no bytes.');
    return each;
  });
