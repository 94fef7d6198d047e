/**
 * `npm run servers [-- kafka redis …]`: keeps real servers up for development and prints their addresses.
 * PROMETHEUS_CONFIG names a file with a configuration: then a Prometheus of its own is started with it.
 */
import { readFileSync } from 'node:fs';
import { everyServer, openServerIfAny, type Server, type ServerName } from './servers.ts';

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !everyServer.some((each) => each === name));
if (unknown.length > 0) {
  process.stderr.write(
    `There is no server ${unknown.join(', ')}; there are ${everyServer.join(', ')}.\n`,
  );
  process.exit(2);
}
const prometheusConfig = process.env['PROMETHEUS_CONFIG'] ?? '';
const wantedOf = (name: ServerName) =>
  name === 'prometheus' && prometheusConfig !== ''
    ? { own: true, config: readFileSync(prometheusConfig, 'utf8') }
    : {};
const names = asked.length > 0 ? (asked as ServerName[]) : everyServer;
const running: Server[] = [];
const stop = async (): Promise<never> => {
  await Promise.all(running.map((server) => server.stop()));
  process.exit(0);
};
process.once('SIGINT', () => void stop()).once('SIGTERM', () => void stop());
for (const name of names) {
  const server = await openServerIfAny(name, wantedOf(name));
  if (!server) continue;
  running.push(server);
  process.stdout.write(`${name.padEnd(14)} ${server.url}  (${server.how})\n`);
}
process.stdout.write('Ctrl-C stops what was started here.\n');
setInterval(() => undefined, 60_000);
