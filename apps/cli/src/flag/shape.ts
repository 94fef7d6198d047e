const DEEPEST = 8;

/** TypeScript that describes every one of these JSON values, and little more. Keys in order, so that equal values give equal text. */
export function shapeOf(values: readonly unknown[], depth = 0): string {
  if (depth > DEEPEST) return 'unknown';
  const lists = values.filter((value) => Array.isArray(value));
  const objects = values.filter(isObject);
  const scalars = values.filter((value) => typeof value !== 'object' || value === null);
  const shapes = [
    ...new Set(scalars.map((value) => (value === null ? 'null' : typeof value)).toSorted()),
    ...(lists.length === 0 ? [] : [`readonly ${listShape(lists.flat(), depth)}[]`]),
    ...(objects.length === 0 ? [] : [objectShape(objects, depth)]),
  ];
  return shapes.join(' | ');
}

function listShape(items: readonly unknown[], depth: number): string {
  if (items.length === 0) return 'unknown';
  const shape = shapeOf(items, depth + 1);
  return /^\w+$/.test(shape) ? shape : `(${shape})`;
}

function objectShape(objects: readonly Record<string, unknown>[], depth: number): string {
  const keys = [...new Set(objects.flatMap((each) => Object.keys(each)))].toSorted();
  if (keys.length === 0) return 'Readonly<Record<string, unknown>>';
  const fields = keys.map((key) => {
    const having = objects.filter((each) => Object.hasOwn(each, key));
    const mark = having.length < objects.length ? '?' : '';
    const shape = shapeOf(
      having.map((each) => each[key]),
      depth + 1,
    );
    return `readonly ${JSON.stringify(key)}${mark}: ${shape}`;
  });
  return `{ ${fields.join('; ')} }`;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
