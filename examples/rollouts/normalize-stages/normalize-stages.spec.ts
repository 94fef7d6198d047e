import { describe, expect, it } from '@jest/globals';
import { migrationProblems, transform } from '@tidegate/migration';
import { checkMigration } from '@tidegate/migration/check';
import columns from './migrations/1-pipelines-distribution-columns.ts';
import index from './migrations/1-pipelines-distribution-index.ts';
import documents from './migrations/2-normalize-stages-documents.ts';
import rows from './migrations/2-normalize-stages.ts';
import cutover from './migrations/3-normalize-stages-cutover.ts';
import { LEGACY_NAMES, pipelines } from './pipelines.ts';

const SEED = Number(process.env['SEED'] ?? 1);
const EMPTY = { stage_key: null, distribution: null, distribution_form: null };

it.each([columns, index, rows, documents, cutover])(
  '$id is a migration, and keeps its promises',
  (migration) => {
    expect(migrationProblems(migration)).toEqual([]);
    expect(checkMigration(migration as never, { seed: SEED })).toEqual([]);
  },
);

interface Normalized {
  readonly stage_key: string;
  readonly distribution: Readonly<Record<string, number>>;
}
const normalized = (pipeline: object): Normalized =>
  documents.up({ _id: 1, ...pipeline } as never) as unknown as Normalized;

describe('a normalized pipeline', () => {
  const all = [...pipelines(1_000, { seed: SEED })];

  it('has shares that add up to 1, whatever they were written as, and keeps their proportions', () => {
    for (const pipeline of all) {
      const { distribution } = normalized(pipeline);
      const sum = Object.values(distribution).reduce((a, b) => a + b, 0);
      expect(Math.abs(1 - sum)).toBeLessThanOrEqual(1e-6);
      const whole = pipeline.shares.reduce((total, { share }) => total + share, 0);
      for (const [key, share] of Object.entries(distribution)) {
        const mine = pipeline.shares.filter(({ stage }) => keyOf(stage) === key);
        expect(share).toBeCloseTo(mine.reduce((total, each) => total + each.share, 0) / whole, 9);
      }
    }
  });

  it('is the same as a row and as a document, and can be taken back as both', () => {
    for (const pipeline of all.slice(0, 200)) {
      const row = { id: 1, ...pipeline, ...EMPTY };
      const document = { _id: 1, ...pipeline };
      const [asRow, asDocument] = [rows.up(row), documents.up(document)];
      expect({ ...asRow, id: undefined }).toEqual({ ...asDocument, _id: undefined });
      expect(rows.down?.(asRow)).toEqual(row);
      expect(documents.down?.(asDocument)).toEqual(document);
    }
  });

  it('has a stage for every name that was ever written, and only for those', () => {
    expect(new Set(LEGACY_NAMES.map(keyOf))).toEqual(
      new Set(['applied', 'screening', 'interview', 'assessment', 'offer', 'hired', 'closed']),
    );
    for (const name of ['Limbo', '', 'constructor', '__proto__'])
      expect(() => keyOf(name)).toThrow(`"${name}" is no name of a stage`);
  });

  it.each([...pipelines(20, { seed: SEED, strangers: 1 })])(
    'is not made of shares that say nothing: $shares',
    (stranger) => {
      const row = { id: 7, ...stranger, ...EMPTY };
      expect(transform(rows as never, row)).toMatchObject({
        kind: 'failed',
        code: 'MIGRATION_UP_FAILED',
      });
    },
  );

  function keyOf(stage: string): string {
    return normalized({ stage, shares: [{ stage: 'new', share: 1 }] }).stage_key;
  }
});
