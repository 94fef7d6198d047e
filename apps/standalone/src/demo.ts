import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { messageOf } from '@tidegate/kernel';
import { processEnvironment } from '@tidegate/platform';
import pc from 'picocolors';
import { createScreen, done } from './demo/screen.ts';
import { holds, tell } from './demo/story.ts';
import { type DemoWorld, openWorld } from './demo/world.ts';

const { values } = parseArgs({
  options: { once: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
});
const end = (code: number, sentence?: string): never => {
  if (sentence !== undefined) process.stderr.write(`demo: ${sentence}\n`);
  process.exit(code);
};
const screen = createScreen(values.json ? 'silent' : process.stdout.isTTY ? 'terminal' : 'lines');
const startedAt = performance.now();

let world: DemoWorld | undefined;
let stopping: Promise<never> | undefined;
/** The first reason to stop decides: what then fails because things stop is none. */
const stop = (code: number): Promise<never> => (stopping ??= close(code));
const close = async (code: number): Promise<never> => {
  try {
    await world?.stop();
    return end(code);
  } catch (error) {
    return end(1, messageOf(error));
  }
};
process.once('SIGINT', () => void stop(0)).once('SIGTERM', () => void stop(0));

try {
  screen.line(
    pc.bold('Tidegate') + pc.dim('  rollouts that close themselves when the metrics turn'),
  );
  screen.line();
  world = await openWorld(
    processEnvironment(),
    (file) => readFileSync(file, 'utf8'),
    (reason) => end(1, reason),
  );
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  screen.line(done('five services on one embedded bus and store', `${seconds} s`));
  screen.line(done(`the example service answers at ${world.example.url}, under real HTTP load`));
  screen.line(pc.dim(`  log ${world.logFile}`));
  const result = await tell(world, screen, startedAt);
  if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  if (values.once) await stop(holds(result) ? 0 : 1);
  screen.line();
  screen.line(
    `API  ${world.standalone.urls['metrics-gatekeeper']}/docs   ${pc.dim('key')} ${world.standalone.adminKey}`,
  );
  screen.line(pc.dim('It stays up. Ctrl-C stops it.'));
} catch (error) {
  if (!stopping) process.stderr.write(`demo: ${messageOf(error)}\n`);
  await stop(1);
}
