import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format } from 'prettier';
import { number } from './gates.numbers.ts';
import type { Results } from './gates.ts';
import { pictureOf, picturesOf } from './gates.pictures.ts';
import { comparisonTable, delayTable, losses, misses, nullTable } from './gates.tables.ts';

const FOLDER = join(import.meta.dirname, '..', '..', 'docs', 'gates');

/** The tables and curves of docs/gates. */
export async function writeDocuments(results: Results, full: boolean): Promise<void> {
  for (const [file, svg] of picturesOf(results)) await writeFile(join(FOLDER, file), svg);
  const text = await format(measuredText(results, full), { parser: 'markdown', printWidth: 140 });
  await writeFile(join(FOLDER, 'measured.md'), text);
}

const list = (items: readonly string[], none: string) =>
  items.length === 0 ? none : items.map((item) => `- ${item}`).join('\n');

function measuredText(results: Results, full: boolean): string {
  const { nulls, short, shortOfFive, long, late, lateOfFive, comparisons } = results;
  const runs = full ? 'FULL=1 WRITE=1 npm run bench -- gates' : 'WRITE=1 npm run bench -- gates';
  return `# Measured

Written by \`${runs}\`; the seeds are fixed, so the same code gives the same tables. How to read them, and what the words
mean: [how a verdict is made](how-a-verdict-is-made.md).

Every rollout goes through the code that judges in production (\`libs/gates\`): readings of counters every 5 s, three stages, a
plan with \`risk: 1%\`. The limit is 1 % of failed requests unless something else is said; requests/s are the canary's, the same
in every stage. A guard's share of the risk is α′ = 1 % ÷ (guards × stages).

## Healthy rollouts

Three stages of 20 minutes. The cases were listed before anything was measured, and which of them the bound is promised for.
In brackets Clopper and Pearson's 95 % interval. *Held* is not rolled back: too little had been seen to leave a stage in one
and a half times its hold time. The other rules count as rolling back when they would, with their limit at 1 % as well: their
documented defaults, and the example in their documentation.

${nullTable(nulls)}

Not promised:

${list(
  nulls.flatMap(({ null: each }) =>
    each.promised === true ? [] : [`${each.name}: ${each.promised}.`],
  ),
  'None.',
)}

## Regressions from the start

Median time from the change to the rollback; in brackets the same in requests ÷ the information limit ln(1/α′)/KL, which is
what a test with that risk needs on average at the least, and the time within which 90 % were found. To be reached: 1.5 × the
limit; where the limit is shorter than five checks, two checks more, since a rollback can only come at a check. ✗: not reached.

One guard, first stage of a day:

${delayTable(long)}

One guard, three stages of 20 minutes (healthy ones are at half the limit before and beside a regression):

${delayTable(short)}

Five guards, of which one breaks:

${delayTable(shortOfFive)}

![Delay by regression](delay.svg)

## Regressions after 20 hours of health

The first stage lasts a day, and for 20 hours half the limit fails. To be reached: 3 × the information limit, and two checks more
where it is shorter than five checks.

One guard:

${delayTable(late)}

Five guards:

${delayTable(lateOfFive)}

## Beside other rules

The same traffic for every rule. *Best setting*: of hundreds of settings of interval, window, factor on the limit and its last
option (Flagger's threshold, Argo Rollouts' failureLimit, an alert's \`for\`), the one with the smallest delays over all
regressions that rolled back at most 1 % of healthy rollouts, with even traffic and with bursts, in those it was chosen by
and in as many others. That is more than anybody knows when they write a threshold, and to the rules' advantage, as are: no
delay by Alertmanager, no extrapolation by \`rate()\`, a scrape every 5 s. Each cell: median / 90 %. Tidegate has one setting
throughout: the plan. What a rule rolls back before a regression begins does not count as finding it.

${comparisons
  .filter(({ field }) => field.healthyAt === 1)
  .map(
    (
      each,
    ) => `### ${each.field.late ? 'After 20 hours of a day' : 'From the start'}, ${number(each.field.requestsPerSecond)}/s

${comparisonTable(each)}
${each.field.requestsPerSecond <= 100 ? `\n![${each.field.late ? 'Late' : 'From the start'}](${pictureOf(each)})\n` : ''}`,
  )
  .join('\n')}

### If a healthy version is known to fail half as often

Who knows that healthy means 0.5 % can choose by it. The rules are set so that they roll back at most 1 % of rollouts that fail
at 0.5 %; Tidegate gets \`limit: 0.5%\`. Regressions are the same multiples of 1 %.

${comparisons
  .filter(({ field }) => field.healthyAt !== 1)
  .map(
    (
      each,
    ) => `**${each.field.late ? 'After 20 hours of a day' : 'From the start'}, ${number(each.field.requestsPerSecond)}/s**

${comparisonTable(each)}`,
  )
  .join('\n\n')}

## Where it falls short

Targets that were not reached:

${list(
  [
    ...misses(long, 'from the start of a day'),
    ...misses(short, 'three stages of 20 minutes'),
    ...misses(shortOfFive, 'three stages of 20 minutes, five guards'),
    ...misses(late, 'after 20 hours'),
    ...misses(lateOfFive, 'after 20 hours, five guards'),
  ],
  'None.',
)}

Regressions that another rule found sooner in the median, at its best setting or, if not there, at the setting that is best
for just this regression:

${list(comparisons.flatMap(losses), 'None.')}
`;
}
