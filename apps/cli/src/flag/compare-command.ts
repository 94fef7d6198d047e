import { AppError, canonicalJson } from '@tidegate/kernel';
import type { Command } from 'commander';
import { z } from 'zod';
import { acting, readJson, type World } from '../command.ts';
import { askOfrep, flagsIn, type OfrepFlag } from '../http/ofrep.http.ts';
import { table } from '../output/output.ts';
import { envOption } from './shown-flag.ts';

/** Targeting keys, or whole contexts. */
const contexts = z.array(
  z.union([z.string().transform((targetingKey) => ({ targetingKey })), z.looseObject({})]),
  'expected a list of targeting keys or contexts',
);

interface Difference {
  readonly flag: string;
  readonly context: object;
  readonly there: unknown;
  readonly here: unknown;
}
interface Options {
  readonly env: string;
  readonly with: string;
}

const SHOWN = 20;

export function registerCompare(flag: Command, world: World): void {
  flag
    .command('compare <file>')
    .description(
      'compare answers with another OFREP server, for the keys or contexts in a JSON list',
    )
    .addOption(envOption())
    .requiredOption('-w, --with <url>', 'the other server, e.g. http://localhost:8016 for flagd')
    .action(
      acting(world, async ({ client, out }, file: string, options: Options) => {
        const asked = contexts.safeParse(await readJson(file));
        if (!asked.success)
          throw new AppError('CLI_USAGE', `${file}: ${z.prettifyError(asked.error)}`);
        const path = `/environments/${encodeURIComponent(options.env)}/ofrep/v1/evaluate/flags`;
        const differences: Difference[] = [];
        let compared = 0;
        for (const context of asked.data) {
          const there = flagsIn(await askOfrep(options.with, context, world.signal), options.with);
          const { body } = await client.call('flag-service', 'POST', path, { body: { context } });
          differences.push(...differing(context, there, flagsIn(body, 'flag-service')));
          compared += there.length;
        }
        out.show({ compared, differences }, () => human(compared, differences));
        if (differences.length === 0) return;
        throw new AppError('CLI_REFUSED', `${differences.length} of ${compared} answers differ.`);
      }),
    );
}

/** Of what the other server answers: it leaves out what is off there, and may know fewer flags. */
function differing(context: object, there: readonly OfrepFlag[], here: readonly OfrepFlag[]) {
  const known = new Map(here.map((each) => [each.key, answerOf(each)]));
  return there
    .map((each) => ({ flag: each.key, context, there: answerOf(each), here: known.get(each.key) }))
    .filter(({ there: one, here: other }) => canonicalJson(one) !== canonicalJson(other ?? null));
}

const answerOf = ({ value, variant, errorCode }: OfrepFlag) => ({
  value: value ?? null,
  variant: variant ?? null,
  errorCode: errorCode ?? null,
});

function human(compared: number, differences: readonly Difference[]): string {
  const rows = differences
    .slice(0, SHOWN)
    .map((each) => [
      each.flag,
      JSON.stringify(each.context),
      JSON.stringify(each.there),
      each.here === undefined ? 'no such flag' : JSON.stringify(each.here),
    ]);
  const more = differences.length - rows.length;
  const drawn = table(['flag', 'context', 'there', 'here'], rows, `All ${compared} answers agree.`);
  return more > 0 ? `${drawn}\n… and ${more} more` : drawn;
}
