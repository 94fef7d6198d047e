import { setTimeout as wait } from 'node:timers/promises';
import { AppError } from '@tidegate/kernel';
import logUpdate from 'log-update';
import type { Tools } from '../command.ts';
import { patience, watching } from '../http/patience.http.ts';
import { toned } from '../output/output.ts';
import { heldUp, humanRun, pathOf, type ShownRun } from './shown-run.ts';

const POLL_MS = 200;

/** Waits for the end of a run and shows it. Thrown CLI_REFUSED when it did not complete, CLI_INTERRUPTED by Ctrl-C. */
export async function watchRun(tools: Tools, started: ShownRun): Promise<void> {
  const { run: name } = started;
  const run = await watching(
    tools.world.signal,
    `${name} goes on: tidegate migration show ${name}, or pause, or cancel.`,
    () => ended(tools, started),
  );
  tools.out.show(run, () => humanRun(run));
  if (run.status !== 'completed')
    throw new AppError('CLI_REFUSED', run.message ?? `The run is ${run.status}.`);
}

/** A live line on a terminal; else, unless in JSON, a line whenever it is held up by something else. */
async function ended({ client, out, world }: Tools, started: ShownRun): Promise<ShownRun> {
  const live = !out.json && process.stdout.isTTY;
  const patiently = patience(world.signal);
  const path = pathOf(started.run);
  let run = started;
  let told = '';
  while (run.status === 'running' || run.status === 'paused') {
    const held = heldUp(run);
    const counted = `${toned(run.status)}  ${run.counts.changed} changed`;
    if (live) logUpdate(`${run.migration}  ${counted}${held === '' ? '' : `  ${held}`}`);
    else if (!out.json && held !== '' && held !== told) out.line(`${run.run} ${held}`);
    told = held;
    await wait(POLL_MS, undefined, { signal: world.signal });
    run = (await patiently(() => client.call<ShownRun>('migration-runner', 'GET', path))).body;
  }
  if (live) logUpdate.clear();
  return run;
}
