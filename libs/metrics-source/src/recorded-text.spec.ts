import { describe, expect, it } from '@jest/globals';
import { isRejection } from '@tidegate/kernel';
import { readOpenMetricsFile } from './recorded-text.ts';
import { columnsOf } from './recorded-series.ts';

function pointsOf(text: string): Record<string, number[][]> {
  const read = readOpenMetricsFile(text);
  if (isRejection(read)) throw new Error(read.message);
  return Object.fromEntries(
    read.series.map(({ name, labels, ...each }) => {
      const { times, values } = columnsOf(each);
      const points = [...times].map((at, index) => [at, values[index] ?? Number.NaN]);
      return [`${name}${JSON.stringify(labels)}`, points];
    }),
  );
}

const OPEN = `# HELP http_requests_total Requests.
# TYPE http_requests counter
http_requests_total{code="200"} 10 1790000000
http_requests_total{code="200"} 25 1790000005.250
http_requests_total{code="500"} 1 1790000005.250 # {trace_id="x"} 0.5
up 1 1790000000
# EOF
`;

describe('a file of recorded scrapes', () => {
  it('in OpenMetrics has its timestamps in seconds', () => {
    expect(pointsOf(OPEN)).toEqual({
      'http_requests_total{"code":"200"}': [
        [1_790_000_000_000, 10],
        [1_790_000_005_250, 25],
      ],
      'http_requests_total{"code":"500"}': [[1_790_000_005_250, 1]],
      'up{}': [[1_790_000_000_000, 1]],
    });
  });

  it('in the Prometheus format has them in milliseconds, scrape after scrape', () => {
    expect(
      pointsOf(
        'a{x="1",y="2"} 1 1790000000000\nb 5 1790000000000\n\na{y="2", x="1"} 2 1790000005000\nb NaN 1790000005000\n',
      ),
    ).toEqual({
      'a{"x":"1","y":"2"}': [
        [1_790_000_000_000, 1],
        [1_790_000_005_000, 2],
      ],
      'b{}': [
        [1_790_000_000_000, 5],
        [1_790_000_005_000, Number.NaN],
      ],
    });
  });

  it('keeps braces, blanks and quotes of a label apart from the format', () => {
    expect(pointsOf('a{path="/x{1} \\"2\\" }\\\\"} 7 1790000000000\n')).toEqual({
      [`a${JSON.stringify({ path: '/x{1} "2" }\\' })}`]: [[1_790_000_000_000, 7]],
    });
    expect(pointsOf('a {x="1"} 7 1790000000000\n')).toHaveProperty('a{"x":"1"}');
  });

  it('declares what it has a type or a series of', () => {
    const read = readOpenMetricsFile('# TYPE errors counter\nup 1 1790000000\n# EOF\n');
    expect(read).toMatchObject({ declared: expect.arrayContaining(['errors_total', 'up']) });
  });

  it('may tell the same scrape twice', () => {
    expect(pointsOf('a 1 1790000000000\na 1 1790000000000\n')['a{}']).toHaveLength(1);
  });

  it.each([
    ['a 1\n', 'line 1 has no timestamp'],
    ['a 1 1790000000\n', 'line 1 has its timestamp in seconds'],
    ['up 1 1790000000000\na 1 1790000000000\nup 1 1780000000000\n', 'line 3 is older'],
    ['a 1 1790000000000\na 2 1790000000000\n', 'line 2 gives a second value'],
    ['a 1 1790000000\n# EOF\na 1 1790000005\n# EOF\n', 'line 3 stands after # EOF'],
    ['<html>\n', 'line 1 is not a sample'],
    ['a{x="1" 1 1790000000000\n', 'line 1 is not a sample'],
    ['a{x="1"}b 1 1790000000000\n', 'line 1 is not a sample'],
    ['a{x="1",x="2"} 1 1790000000000\n', 'line 1 is not a sample'],
  ])('%j is refused: %s', (text, words) => {
    expect(readOpenMetricsFile(text)).toMatchObject({
      code: 'RECORDING_MALFORMED',
      message: expect.stringContaining(words),
    });
  });
});
