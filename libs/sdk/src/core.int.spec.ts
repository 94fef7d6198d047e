import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const dist = join(import.meta.dirname, '../dist');

/** Every module that a process of its own has loaded once it has imported a door. */
function loadedBy(door: string): string[] {
  const program = `
import { registerHooks } from 'node:module';
const loaded = [];
registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
await import(${JSON.stringify(join(dist, `${door}.js`))});
console.log(JSON.stringify(loaded));
`;
  const args = ['--input-type=module', '-e', program];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as string[];
}
const strangers =
  /@nestjs|@openfeature|@opentelemetry|prom-client|rxjs|kafkajs|(?:tidegate|libs)[/]bus[/]/;
const strangersOf = (door: string): string[] => [
  ...new Set(loadedBy(door).flatMap((url) => strangers.exec(url)?.[0] ?? [])),
];

describe('what a door of the SDK loads', () => {
  it.each(['index', 'context', 'testing'])('%s: no framework, telemetry or bus', (door) => {
    expect(strangersOf(door)).toEqual([]);
    expect(loadedBy(door).length).toBeGreaterThan(0);
  });

  it('index: nothing that follows asynchronous calls, which costs each of them', () => {
    expect(loadedBy('index').filter((url) => url.includes('async_hooks'))).toEqual([]);
  });

  it.each([
    ['openfeature', ['@openfeature']],
    ['opentelemetry', ['@opentelemetry']],
    ['prometheus', ['prom-client']],
  ])('%s: %j alone', (door, expected) => {
    // prom-client itself looks for the trace of an exemplar.
    const others = strangersOf(door).filter(
      (each) => door !== 'prometheus' || each !== '@opentelemetry',
    );
    expect(others).toEqual(expected);
  });

  it('nest: Nest, but neither OpenFeature nor Prometheus', () => {
    expect(strangersOf('nest').toSorted()).toEqual(['@nestjs', 'rxjs']);
  });
});
