import type { OpenApi, Operation, Schema } from './openapi.ts';

/** Everything that services answer beside the routes of theirs. */
const EVERYWHERE = '/v1/bus/';

/** A page with every route of every service: who may use it, and what it takes. */
export function apiReference(documents: ReadonlyMap<string, OpenApi>): string {
  const [[, first] = []] = documents;
  return [
    '# HTTP API',
    '',
    'Generated from the OpenAPI documents beside it, which are what each service answers at `/openapi.json`. A key goes into the header',
    '`Authorization: Bearer <key>`; the role is the least one that may use the route. `?` marks what may be left out.',
    'What the routes do is in the README of each service.',
    '',
    ...[...documents].flatMap(([name, document]) => [
      `## [${name}](../../apps/${name}/README.md)`,
      '',
      `${document.info.description} ([OpenAPI](${name}.openapi.json))`,
      '',
      ...routes(document, (path) => !path.startsWith(EVERYWHERE)),
    ]),
    '## Every service',
    '',
    ...(first ? routes(first, (path) => path.startsWith(EVERYWHERE)) : []),
    '## Types',
    '',
    ...types([...documents.values()]),
  ].join('\n');
}

function routes({ paths }: OpenApi, isShown: (path: string) => boolean): string[] {
  return Object.entries(paths)
    .filter(([path]) => isShown(path))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([path, operations]) =>
      Object.entries(operations).flatMap(([method, operation]) => [
        `### \`${method.toUpperCase()} ${path}\``,
        '',
        [`Role: ${operation['x-role'] ?? 'none'}.`, operation.summary ?? ''].join(' ').trim(),
        '',
        ...taken(operation),
      ]),
    );
}

/** What bodies refer to by name. Fails for a name that stands for two things, and for one that nothing stands for. */
function types(documents: readonly OpenApi[]): string[] {
  const texts = new Map<string, string>();
  for (const { components = {} } of documents)
    for (const [name, schema] of Object.entries(components.schemas ?? {})) {
      const text = typed(schema);
      if ((texts.get(name) ?? text) !== text) throw new Error(`${name} is two different types.`);
      texts.set(name, text);
    }
  for (const [, name = ''] of JSON.stringify(documents).matchAll(/"#\/([^"]+)"/g))
    if (!texts.has(name.replace('components/schemas/', '')))
      throw new Error(`#/${name} is nowhere.`);
  return [...texts].flatMap(([name, text]) => ['```ts', `type ${name} = ${text};`, '```', '']);
}

function taken({ parameters = [], requestBody }: Operation): string[] {
  const query = parameters
    .filter((each) => each.in === 'query')
    .map(({ name, required, schema = {} }) => `${name}${required ? '' : '?'}: ${typed(schema)}`);
  const bodies = Object.entries(requestBody?.content ?? {});
  const [[type, { schema = {} }] = ['', {}]] = bodies;
  const body = bodies.length === 0 ? [] : [`// ${type}`, `type Body = ${typed(schema)};`];
  const lines = [...(query.length === 0 ? [] : [`type Query = { ${query.join('; ')} };`]), ...body];
  return lines.length === 0 ? [] : ['```ts', ...lines, '```', ''];
}

/** A schema in the way TypeScript writes types; a part that refers back to itself is named after its definition. */
export function typed(schema: Schema): string {
  const text = shape(schema);
  return schema.nullable === true && text !== 'null' ? `${text} | null` : text;
}

function shape(schema: Schema): string {
  const { $ref, enum: values, anyOf, oneOf, allOf, items, type } = schema;
  if ($ref !== undefined) return $ref.split('/').at(-1) ?? 'unknown';
  if ('const' in schema) return JSON.stringify(schema.const);
  if (values) return values.map((each) => JSON.stringify(each)).join(' | ');
  if (anyOf ?? oneOf) return [...new Set((anyOf ?? oneOf ?? []).map(typed))].join(' | ');
  if (allOf) return allOf.map(typed).join(' & ');
  if (type === 'integer') return 'number';
  if (type === 'array') return `(${typed(items ?? {})})[]`;
  if (type === 'object') return object(schema);
  return type ?? 'unknown';
}

function object({ properties = {}, required = [], additionalProperties }: Schema): string {
  const fields = Object.entries(properties).map(
    ([name, schema]) =>
      `${JSON.stringify(name)}${required.includes(name) ? '' : '?'}: ${typed(schema)}`,
  );
  if (fields.length > 0) return `{ ${fields.join('; ')} }`;
  return typeof additionalProperties === 'object'
    ? `Record<string, ${typed(additionalProperties)}>`
    : 'object';
}
