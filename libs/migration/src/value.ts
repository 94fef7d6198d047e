import { dequal } from 'dequal';
import type { Path, Row } from './path.ts';

const MAX_DEPTH = 100; // of documents in MongoDB

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
const isDate = (value: unknown): value is Date =>
  Object.prototype.toString.call(value) === '[object Date]';

/** `{ … }`, also without a prototype, as drivers make rows; no list, promise or instance of a class. */
export function isPlain(value: unknown): value is Row {
  if (!isObject(value)) return false;
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === Object.prototype || prototype === null) return true;
  // Of another realm. A list's prototype has one itself.
  return Object.getPrototypeOf(prototype) === null;
}

/** The value at a path through plain objects; undefined where there is none. */
export function valueAt(document: Row, path: Path): unknown {
  let value: unknown = document;
  for (const name of path) {
    if (!isPlain(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

/** Assignment would take `__proto__` for the prototype. */
export function put(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(object, name, {
      value,
      enumerable: true,
      writable: true,
      configurable: true,
    });
  else object[name] = value;
}

/** A copy that may be edited; values of a database's own types are shared, as they do not change. */
export function cloned<T>(value: T): T;
export function cloned(value: unknown): unknown {
  if (!isObject(value)) return value;
  if (Array.isArray(value)) return value.map(cloned);
  if (isPlain(value)) {
    const copy: Record<string, unknown> = { ...value }; // of its own `__proto__`, too
    for (const name of Object.keys(copy)) {
      const each = copy[name];
      if (isObject(each)) put(copy, name, cloned(each));
    }
    return copy;
  }
  if (isDate(value)) return new Date(value);
  return value instanceof Uint8Array ? Uint8Array.prototype.slice.call(value) : value;
}

/** Without the fields that are undefined, as databases keep none; the same object where there are none. */
export function settled(value: unknown, depth = 0): unknown {
  if (depth > MAX_DEPTH) throw new RangeError(`nests deeper than ${MAX_DEPTH} levels`);
  if (Array.isArray(value)) {
    const items = value.map((each: unknown) => settled(each, depth + 1));
    return items.some((each, index) => each !== value[index]) ? items : value;
  }
  if (!isPlain(value)) return value;
  let kept: Record<string, unknown> | undefined;
  for (const name of Object.keys(value)) {
    const each = settled(value[name], depth + 1);
    if (each === value[name] && each !== undefined) continue;
    kept ??= { ...value };
    if (each === undefined) delete kept[name];
    else put(kept, name, each);
  }
  return kept ?? value;
}

/** By value; the order of fields does not count, and NaN equals itself. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (!isObject(a) || !isObject(b)) return Number.isNaN(a) && Number.isNaN(b);
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((each, index) => equal(each, b[index]));
  if (isPlain(a) && isPlain(b)) {
    const names = Object.keys(a);
    return (
      names.length === Object.keys(b).length &&
      names.every((name) => Object.hasOwn(b, name) && equal(a[name], b[name]))
    );
  }
  if (isDate(a) && isDate(b)) return Object.is(a.getTime(), b.getTime());
  return dequal(a, b);
}

/** Why no database keeps the value: scalars, bytes, dates, what JSON can say, and BSON's own types are kept. */
export function unusable(value: unknown): string | undefined {
  if (typeof value === 'function' || typeof value === 'symbol' || value === undefined)
    return described(value);
  if (typeof value === 'number') return Number.isNaN(value) ? 'NaN' : undefined;
  if (!isObject(value) || ArrayBuffer.isView(value)) return undefined;
  if (isDate(value)) return Number.isNaN(value.getTime()) ? 'an invalid date' : undefined;
  if (Array.isArray(value)) return firstOf(value);
  if (isPlain(value)) return firstOf(Object.values(value));
  return '_bsontype' in value ? undefined : described(value);
}

function firstOf(values: readonly unknown[]): string | undefined {
  for (const each of values) {
    const problem = unusable(each);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** The same; where it is a promise, which nobody waits for, its failure must not end the process. */
export function unawaited<T>(value: T): T {
  if (value instanceof Promise) value.catch(() => undefined);
  return value;
}

export function described(value: unknown): string {
  if (typeof value === 'number' || value === undefined || value === null) return String(value);
  const { constructor } = Object(value) as { constructor?: { name?: string } };
  return `a value of type ${constructor?.name ?? typeof value}`;
}
