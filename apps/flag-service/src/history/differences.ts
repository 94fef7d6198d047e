import { canonicalJson } from '@tidegate/kernel';

/** One thing that is other than before. Left out: it was not there, or is not there any more. */
export interface Difference {
  /** As in `definition.rules[0].variant`; `definition.tags[]` is an entry of a list whose order says nothing. */
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** More than these tell nobody anything. */
export const MAX_DIFFERENCES = 100;

/** What one value has other than another, in the order of the fields; the first MAX_DIFFERENCES. */
export const differences = (before: unknown, after: unknown): readonly Difference[] => {
  const found: Difference[] = [];
  for (const difference of between(before ?? {}, after ?? {}, '')) {
    if (found.length === MAX_DIFFERENCES) break;
    found.push(difference);
  }
  return found;
};

function* between(before: unknown, after: unknown, path: string): Generator<Difference> {
  if (canonicalJson(before) === canonicalJson(after)) return;
  if (isObject(before) && isObject(after)) yield* fields(before, after, path);
  else if (isList(before) && isList(after)) yield* entries(before, after, path);
  else
    yield {
      path,
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
    };
}

function* fields(before: Fields, after: Fields, path: string): Generator<Difference> {
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)]))
    yield* between(own(before, name), own(after, name), stepTo(path, name));
}

/** Lists of texts and the like are compared as sets, if that is what tells them apart; others place by place. */
function* entries(
  before: readonly unknown[],
  after: readonly unknown[],
  path: string,
): Generator<Difference> {
  const [was, is] = [new Set(before), new Set(after)];
  const gone = [...was].filter((each) => !is.has(each));
  const come = [...is].filter((each) => !was.has(each));
  if ([...before, ...after].some((each) => isObject(each) || isList(each)))
    for (let place = 0; place < Math.max(before.length, after.length); place += 1)
      yield* between(before[place], after[place], `${path}[${place}]`);
  else if (gone.length + come.length === 0) yield { path, before, after };
  else {
    for (const each of gone) yield { path: `${path}[]`, before: each };
    for (const each of come) yield { path: `${path}[]`, after: each };
  }
}

type Fields = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);
const own = (value: Fields, name: string): unknown =>
  Object.hasOwn(value, name) ? value[name] : undefined;

const stepTo = (path: string, name: string): string => {
  if (!/^[A-Za-z_][\w-]*$/.test(name)) return `${path}[${JSON.stringify(name)}]`;
  return path === '' ? name : `${path}.${name}`;
};
