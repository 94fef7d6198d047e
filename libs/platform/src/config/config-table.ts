import type { z } from 'zod';

export interface ConfigRow {
  readonly name: string;
  /** As it would stand in the environment; undefined without one. */
  readonly default?: string;
  /** True if the service does not start without it. */
  readonly required: boolean;
  readonly description: string;
}

/** One row per option, in the order of the schema: for README tables and `.env.example`. */
export const configTable = (schema: z.ZodObject): readonly ConfigRow[] =>
  Object.entries(schema.shape).map(([name, option]) => {
    const absent = (option as z.ZodType).safeParse(undefined);
    return {
      name,
      ...(absent.data === undefined ? {} : { default: textOf(absent.data) }),
      required: !absent.success,
      description: (option as z.ZodType).description ?? '',
    };
  });

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value);

/** A Markdown table of the options. */
export function configMarkdown(schema: z.ZodObject): string {
  const rows = configTable(schema).map(
    (row) =>
      `| \`${row.name}\` | ${row.required ? '*needed*' : row.default === undefined ? '' : `\`${row.default}\``} | ${row.description} |`,
  );
  return ['| option | default | |', '| --- | --- | --- |', ...rows, ''].join('\n');
}

/** Lines for `.env.example`: every option with its description; what has a default is commented out. */
export const envExample = (schema: z.ZodObject): string =>
  configTable(schema)
    .map(
      (row) =>
        `# ${row.description}\n${row.required ? '' : '# '}${row.name}=${row.default ?? ''}\n`,
    )
    .join('\n');
