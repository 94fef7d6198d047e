import { z } from 'zod';
import { catalogue } from './catalogue.ts';
import type { MessageDefinition } from './message.ts';
import { migrationReport } from './migration-report.ts';
import { plan } from './plan.ts';

/** JSON Schema (2020-12) of what a writer of this message may send; readers ignore unknown fields. */
export const schemaOf = ({ wire, type, topic, schema }: MessageDefinition): object => ({
  $id: `${wire}.schema.json`,
  title: type,
  description: `Data of ${wire} on topic ${topic}.`,
  ...z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }),
});

/** Generated documents by file name, e.g. `tidegate.flag.disabled.v1.schema.json`. */
export const schemaDocuments = (): ReadonlyMap<string, object> =>
  new Map([
    ...catalogue.map(
      (definition) => [`${definition.wire}.schema.json`, schemaOf(definition)] as const,
    ),
    [
      'plan.schema.json',
      {
        $id: 'plan.schema.json',
        title: 'Plan',
        ...z.toJSONSchema(plan, { io: 'input', unrepresentable: 'any' }),
      },
    ],
    [
      'migration-report.schema.json',
      {
        $id: 'migration-report.schema.json',
        title: 'Report of a run of a migration',
        ...z.toJSONSchema(migrationReport, { io: 'input', unrepresentable: 'any' }),
      },
    ],
  ]);

/** The published example of every message: golden files that never change. */
export const goldenDocuments = (): ReadonlyMap<string, unknown> =>
  new Map(catalogue.map(({ wire, example }) => [`${wire}.json`, example]));
