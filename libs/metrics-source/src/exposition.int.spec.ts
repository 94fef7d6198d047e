import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { isRejection } from '@tidegate/kernel';
import { eventually } from '@tidegate/kernel/testing';
import { Counter, Gauge, Histogram, Registry, Summary } from 'prom-client';
import { openServerIfAny } from '../../../test/servers/servers.ts';
import { findProgram } from '../../../test/servers/tools.ts';
import { readExposition } from './exposition.ts';
import { readVector } from './prometheus-answer.ts';
import { columnsOf } from './recorded-series.ts';
import { readOpenMetricsFile } from './recorded-text.ts';
import { seriesKey } from './series.ts';
import { readSeriesNotation } from './series-notation.ts';

jest.setTimeout(60_000);

const ofFile: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of ofFile.reverse()) await close();
});

const now = Date.now();
/** What the Prometheus text format allows, line by line. */
const TEXT = `# HELP http_requests_total The total number of HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 ${now}
http_requests_total{method="post",code="400"}    3 ${now}

# Escaping in label values:
disk_access_time_seconds{path="C:\\\\DIR\\\\FILE.TXT",error="Cannot find file:\\n\\"FILE.TXT\\""} 1.458255915e9
# A line with as little as there can be:
metric_without_timestamp_and_labels 12.47
# Odd values and blanks:
something_weird{problem="division by zero"} +Inf
  
spaced { a = "1" , b="2" , }	7
tabbed	8
empty{} 9
empty_value{a=""} 10
# TYPE duration_seconds histogram
duration_seconds_bucket{le="0.05"} 24054
duration_seconds_bucket{le="1e+06"} 129389
duration_seconds_bucket{le="+Inf"} 144320
duration_seconds_sum 53423
duration_seconds_count 144320
# TYPE rpc_seconds summary
rpc_seconds{quantile="0.01"} 3102
rpc_seconds{quantile="0.99"} NaN
rpc_seconds_sum 1.7560473e+07
rpc_seconds_count 2693
# a comment {that="looks"} like a sample 1
colons:in:names 1
numbers{n="1"} .5
numbers{n="2"} 5.
numbers{n="3"} -1E-3
numbers{n="4"} 0
numbers{n="5"} -Inf
unicode{text="grüße ☃ 𝄞"} 1
braces{text="a}b{c, \\"d=\\" e"} 1
`;
/** What OpenMetrics allows besides. */
const OPEN = `# TYPE acme_http_router_request_seconds summary
# UNIT acme_http_router_request_seconds seconds
# HELP acme_http_router_request_seconds Latency though all of ACME's HTTP request router.
acme_http_router_request_seconds_sum{path="/api/v1",method="GET"} 9036.32
acme_http_router_request_seconds_count{path="/api/v1",method="GET"} 807283.0
acme_http_router_request_seconds_created{path="/api/v1",method="GET"} 1605281325.0
# TYPE go_goroutines gauge
# HELP go_goroutines Number of goroutines that currently exist.
go_goroutines 69
# TYPE process_cpu_seconds counter
# UNIT process_cpu_seconds seconds
process_cpu_seconds_total 4.20072246e+06
# TYPE foo histogram
foo_bucket{le="0.01"} 0
foo_bucket{le="0.1"} 8 # {} 0.054
foo_bucket{le="1.0"} 11 # {trace_id="KOO5S4vxi0o"} 0.67
foo_bucket{le="+Inf"} 17 # {trace_id="oHg5SJ#YRHA0 }"} 9.8 1520879607.789
foo_count 17
foo_sum 324789.3
foo_created 1520430000.123
# TYPE build info
build_info{version="8.2.7"} 1
# TYPE state stateset
state{state="a"} 1
state{state="b"} 0
# TYPE timed counter
timed_total{a="1"} 5 ${now / 1_000}
# TYPE gauged gaugehistogram
gauged_bucket{le="+Inf"} 3
gauged_gcount 3
gauged_gsum 2
# EOF
`;

/** prom-client's own way of writing, with what is hard to write. */
async function written(): Promise<string> {
  const registers = [new Registry()];
  const help = 'A "help" with \\ and\na line feed';
  const counter = new Counter({ name: 'c_total', help, labelNames: ['say'], registers });
  for (const say of ['', 'plain', '"quoted"', 'back\\slash', 'line\nfeed', 'ü', 'a="b",c}'])
    counter.inc({ say }, 0.1 + 0.2);
  new Gauge({ name: 'g', help, registers }).set(Number.NaN);
  new Gauge({ name: 'huge', help, registers }).set(1e300);
  new Gauge({ name: 'below', help, registers }).set(-Infinity);
  const histogram = new Histogram({ name: 'h', help, registers, buckets: [0.001, 0.5, 1, 1e6] });
  for (const each of [0.1, 0.5, 3]) histogram.observe(each);
  new Summary({ name: 's', help, registers }).observe(2);
  return registers[0]?.metrics() ?? '';
}

const shown: Readonly<Record<string, { readonly type: string; readonly text: string }>> = {
  text: { type: 'text/plain; version=0.0.4', text: TEXT },
  open: { type: 'application/openmetrics-text; version=1.0.0; charset=utf-8', text: OPEN },
  client: { type: 'text/plain; version=0.0.4', text: await written() },
};
const web = createServer((request, response) => {
  const { type = '', text = '' } = shown[String(request.url).slice(1)] ?? {};
  response.writeHead(200, { 'content-type': type }).end(text);
});
await new Promise<void>((resolve) => {
  web.listen(0, '127.0.0.1', resolve);
});
ofFile.push(() => {
  web.close();
  web.closeAllConnections();
});
const address = `127.0.0.1:${(web.address() as AddressInfo).port}`;
const jobs = Object.keys(shown).map(
  (job) =>
    `  - { job_name: ${job}, metrics_path: /${job}, static_configs: [{ targets: ['${address}'] }] }`,
);
const server = await openServerIfAny('prometheus', {
  own: true,
  config: `global: { scrape_interval: 200ms, scrape_timeout: 200ms }\nscrape_configs:\n${jobs.join('\n')}\n`,
});
if (server) ofFile.push(() => server.stop());

type Values = Readonly<Record<string, number>>;
const fetched = async (path: string, accept = ''): Promise<Response> => {
  const response = await fetch(`${server?.url ?? ''}${path}`, { headers: { accept } });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response;
};

/** What Prometheus made of the job's text. Of series without a value and empty labels it keeps nothing. */
async function storedOf(job: string): Promise<Values> {
  const query = `{job="${job}",__name__!~"up|scrape_.*"}`;
  const path = `/api/v1/query?${new URLSearchParams({ query }).toString()}`;
  const points = readVector(await (await fetched(path)).text());
  if (isRejection(points)) throw new Error(points.message);
  return Object.fromEntries(
    points.map(
      ({ labels: { __name__: name = '', job: _job, instance: _at, ...labels }, value }) => [
        seriesKey(name, labels),
        value,
      ],
    ),
  );
}

function readOf(text: string, openMetrics: boolean): Values {
  const read = readExposition(text, { at: now, openMetrics });
  if (isRejection(read)) throw new Error(read.message);
  const samples = [...read.samples.values()].flat().filter(({ at }) => at > now - 60_000);
  return Object.fromEntries(
    samples.map(({ name, labels, value }) => {
      const kept = Object.entries(labels).filter(([, text_]) => text_ !== '');
      return [seriesKey(name, Object.fromEntries(kept)), value];
    }),
  );
}

(server ? describe : describe.skip)('our reader and that of Prometheus', () => {
  it.each(Object.keys(shown))('agree on every series and value of %s', async (job) => {
    const { type = '', text = '' } = shown[job] ?? {};
    const stored = await eventually(async () => {
      const values = await storedOf(job);
      return Object.keys(values).length > 0 ? values : undefined;
    }, 20_000);
    expect(readOf(text, type.includes('openmetrics'))).toEqual(stored);
  });

  it('is at home in what Prometheus shows of itself', async () => {
    const text = await (await fetched('/metrics')).text();
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(lines.length).toBeGreaterThan(300);
    expect(Object.keys(readOf(text, false))).toHaveLength(lines.length);
  });
});

const promtool = findProgram('promtool');
(promtool === undefined ? describe.skip : describe)('our recordings and those of promtool', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-recording-'));
  ofFile.push(() => rmSync(folder, { recursive: true }));
  const run = (...args: readonly string[]): string =>
    execFileSync(promtool ?? '', args, { cwd: folder, encoding: 'utf8' });

  it('have the same samples of a file', () => {
    const lines = Array.from({ length: 40 }, (_, index) => {
      const second = 1_790_000_000 + index * 5;
      return [200, 500].map(
        (code) => `a_total{code="${code}",path="/x \\"y\\""} ${index * code} ${second}.25\n`,
      );
    });
    const byCode = [0, 1].map((code) => lines.map((each) => each[code]).join(''));
    const text = `# TYPE a counter\n${byCode.join('')}# EOF\n`;
    writeFileSync(join(folder, 'recorded.txt'), text);
    run('tsdb', 'create-blocks-from', 'openmetrics', 'recorded.txt', 'data');
    mkdirSync(join(folder, 'data', 'wal')); // which the next command wants to see
    // Each line is: {labels with __name__} value ms
    const dumped = run('tsdb', 'dump', 'data').trim().split('\n');
    const read = readOpenMetricsFile(text);
    if (isRejection(read)) throw new Error(read.message);
    const ours = read.series.flatMap(({ name, labels, ...each }) => {
      const { times, values } = columnsOf(each);
      const pairs = Object.entries({ __name__: name, ...labels }).map(
        ([label, value]) => `${label}=${JSON.stringify(value)}`,
      );
      return [...times].map((at, index) => `{${pairs.join(', ')}} ${values[index]} ${at}`);
    });
    expect(ours.toSorted()).toEqual(dumped.toSorted());
  });

  it('expand the notation to the same values', () => {
    const values = [
      '0+1x10 _ stale',
      '-2+4x3',
      '1-2x4',
      '1x4',
      '1 _x3 stale',
      '10+10x2 30+20x5',
      '0.1+0.1x9',
      '_x2 5 _ 7x1',
    ];
    const text = values.map((each, index) => `s{n="${index}"} ${each}`).join('\n');
    const read = readSeriesNotation(text, { startAt: 0, intervalMs: 1_000 });
    if (isRejection(read)) throw new Error(read.message);
    const checks = Array.from({ length: 12 }, (_, second) => {
      const samples = read.series.flatMap(({ labels, ...each }) => {
        const { times, values: numbers, stale } = columnsOf(each);
        const index = times.findLastIndex((at) => at <= second * 1_000);
        return index === -1 || stale[index] === 1
          ? []
          : [`{ labels: 's{n="${labels['n']}"}', value: ${numbers[index]} }`];
      });
      return `      - { expr: s, eval_time: ${second}s, exp_samples: [${samples.join(', ')}] }`;
    });
    const series = values.map(
      (each, index) => `      - { series: 's{n="${index}"}', values: '${each}' }`,
    );
    writeFileSync(
      join(folder, 'test.yml'),
      `evaluation_interval: 1s\ntests:\n  - interval: 1s\n    input_series:\n${series.join('\n')}\n    promql_expr_test:\n${checks.join('\n')}\n`,
    );
    expect(run('test', 'rules', 'test.yml')).toContain('SUCCESS');
  });
});
