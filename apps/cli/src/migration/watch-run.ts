import { setTimeout as wait } from 'node:timers/promises';
import { AppError } from '@tidegate/kernel';
import logUpdate from 'log-update';
import type { Tools } from '../command.ts';
import { patience, watching } from '../http/patience.http.ts';
import { progressLine, progressLines } from './progress.ts';
import { heldUp, humanRun, pathOf, type ShownRun } from './shown-run.ts';

const POLL_MS = 200;
const COLUMNS = 80;

/** Waits for the end of a run and shows it. Thrown CLI_REFUSED when it did not complete, CLI_INTERRUPTED by Ctrl-C. */
export async function watchRun(tools: Tools, started: ShownRun): Promise<void> {
  const { run: name } = started;
  const run = await watching(
    tools.world.signal,
    `${name} goes on: tidegate migration show ${name} --watch, or pause, or cancel.`,
    () => ended(tools, started),
  );
  tools.out.show(run, () => humanRun(run));
  if (run.status !== 'completed')
    throw new AppError('CLI_REFUSED', run.message ?? `The run is ${run.status}.`);
}

async function ended(tools: Tools, started: ShownRun): Promise<ShownRun> {
  const { client, out, world } = tools;
  const patiently = patience(world.signal);
  const path = pathOf(started.run);
  const live = !out.json && process.stdout.isTTY;
  const picture = live ? bar : lines(tools);
  let run = started;
  while (run.status === 'running' || run.status === 'paused') {
    picture(run);
    await wait(POLL_MS, undefined, { signal: world.signal });
    run = (await patiently(() => client.call<ShownRun>('migration-runner', 'GET', path))).body;
  }
  if (live) logUpdate.clear();
  return run;
}

const bar = (run: ShownRun): void =>
  logUpdate(progressLines(run, Date.now(), process.stdout.columns || COLUMNS));

/** For a log: a line at each tenth, and whenever it is held up by something else; none beside JSON. */
function lines({ out }: Tools): (run: ShownRun) => void {
  let told = '';
  let tenths = 0;
  return (run) => {
    if (out.json) return;
    const held = heldUp(run);
    if (held !== '' && held !== told) out.line(`${run.run} ${held}`);
    told = held;
    const now = Math.floor((run.progress?.share ?? 0) * 10);
    if (now > tenths && now < 10) out.line(progressLine(run));
    tenths = Math.max(now, tenths);
  };
}
