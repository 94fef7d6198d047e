import { AstBuilder, compile, GherkinClassicTokenMatcher, Parser } from '@cucumber/gherkin';
import { IdGenerator, type Pickle, type PickleStep } from '@cucumber/messages';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const features = join(import.meta.dirname, 'features');

export interface Scenario {
  readonly feature: string;
  readonly title: string;
  readonly steps: readonly PickleStep[];
}

/** Every scenario of the vendored features, one for each line of examples; titles are unique. */
export function scenarios(): readonly Scenario[] {
  const files = readdirSync(features).filter((file) => file.endsWith('.feature'));
  return files.flatMap((file) => {
    const newId = IdGenerator.incrementing();
    const parser = new Parser(new AstBuilder(newId), new GherkinClassicTokenMatcher());
    const document = parser.parse(readFileSync(join(features, file), 'utf8'));
    const feature = file.replace('.feature', '');
    return titled(compile(document, file, newId)).map(([title, { steps }]) => ({
      feature,
      title,
      steps,
    }));
  });
}

/** With a number where a title comes more than once. */
function titled(pickles: readonly Pickle[]): [string, Pickle][] {
  const seen = new Map<string, number>();
  return pickles.map((pickle) => {
    const count = (seen.get(pickle.name) ?? 0) + 1;
    seen.set(pickle.name, count);
    return [`${pickle.name} #${count}`, pickle];
  });
}
