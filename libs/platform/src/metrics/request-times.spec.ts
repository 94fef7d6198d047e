import { expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { Histogram, Registry } from 'prom-client';
import { RequestTimes } from './request-times.ts';

const request = fc.record({
  method: fc.constantFrom('GET', 'PUT'),
  route: fc.constantFrom('/v1/flags/:key', '/a"b\\c'),
  status: fc.constantFrom(200, 404, 500),
  seconds: fc.oneof(
    fc.constantFrom(0, 0.001, 0.0025, 10, 10.001),
    fc.double({ min: 0, max: 20, noNaN: true }),
  ),
});
const lines = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .sort();

it('says what the histogram of prom-client says', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(request), async (requests) => {
      const times = new RequestTimes();
      const registry = new Registry();
      const histogram = new Histogram({
        name: 'tidegate_http_request_duration_seconds',
        help: 'Time to answer a request.',
        labelNames: ['method', 'route', 'status'],
        buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
        registers: [registry],
      });
      for (const { seconds, ...labels } of requests) {
        times.observe(labels.method, labels.route, labels.status, seconds);
        histogram.observe(labels, seconds);
      }
      expect(lines(times.text())).toEqual(lines(await registry.metrics()));
    }),
    { numRuns: 200 },
  );
});
