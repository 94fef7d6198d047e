import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { messageOf } from '@tidegate/kernel';
import { processEnvironment } from '@tidegate/platform';
import pc from 'picocolors';
import { createScreen, done } from './demo/screen.ts';
import { holds, tell } from './demo/story.ts';
import { type DemoWorld, openWorld } from './demo/world.ts';

const { values } = parseArgs({
  options: {
    once: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    kafka: { type: 'boolean', default: false },
  },
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
/** A service hangs, or is gone: what still runs is ended with it. */
const endProcess = (reason: string): void => {
  if (stopping) return;
  process.stderr.write(`demo: ${reason}\n`);
  if (values.kafka) void stop(1);
  else end(1);
};
process.once('SIGINT', () => void stop(0)).once('SIGTERM', () => void stop(0));

try {
  screen.line(
    pc.bold('Tidegate') + pc.dim('  rollouts that close themselves when the metrics turn'),
  );
  screen.line();
  if (values.kafka)
    screen.live(pc.dim('Starting Kafka, a MongoDB-wire server, Redis and Prometheus …'));
  world = await openWorld({
    env: processEnvironment(),
    onKafka: values.kafka,
    readText: (file) => readFileSync(file, 'utf8'),
    endProcess,
  });
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  screen.line(done(world.house.description, `${seconds} s`));
  screen.line(done(`the example service answers at ${world.example.url}, under real HTTP load`));
  screen.line(pc.dim(`  log ${world.house.logFile}`));
  const result = await tell(world, screen, startedAt);
  if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  if (values.once) await stop(holds(result) ? 0 : 1);
  screen.line();
  screen.line(
    `API  ${world.house.urls['metrics-gatekeeper']?.[0]}/docs   ${pc.dim('key')} ${world.house.adminKey}`,
  );
  screen.line(pc.dim('It stays up. Ctrl-C stops it.'));
} catch (error) {
  if (!stopping) process.stderr.write(`demo: ${messageOf(error)}\n`);
  await stop(1);
}
