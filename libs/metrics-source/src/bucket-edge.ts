/**
 * The edge of a histogram's bucket as a number, Infinity for the last; undefined for what is none. Exporters write one
 * number in several ways ("0.5", "0.50", "5e-1"): whoever compares texts misses buckets.
 */
export function edgeOf(le: string | undefined): number | undefined {
  if (le === undefined) return undefined;
  if (/^\+?inf(?:inity)?$/i.test(le)) return Infinity;
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(le) ? Number(le) : undefined;
}

const INFINITE = ['+Inf', 'Inf', '+inf', 'inf', 'Infinity'];

/**
 * How exporters write an edge, for a selector of the label `le`: as a decimal with up to three more zeros, and in the
 * scientific notations of Go, Java, Python, JavaScript and .NET.
 */
export function leSpellings(edge: number): readonly string[] {
  if (edge === Infinity) return INFINITE;
  const [mantissa = '', exponent = ''] = edge.toExponential().split('e');
  const sign = exponent.startsWith('-') ? '-' : '';
  const power = exponent.slice(1);
  const powers = new Set(
    [sign, sign || '+'].flatMap((s) => [s + power, s + power.padStart(2, '0')]),
  );
  const scientific = [mantissa, withZeros(mantissa, 1)].flatMap((each) =>
    [...powers].flatMap((p) => [`${each}e${p}`, `${each}E${p}`]),
  );
  const decimals = (mantissa.split('.')[1] ?? '').length - Number(exponent);
  const decimal = edge.toFixed(Math.min(Math.max(0, decimals), 100));
  return [...new Set([...[0, 1, 2, 3].map((n) => withZeros(decimal, n)), ...scientific])];
}

const withZeros = (decimal: string, zeros: number): string =>
  zeros === 0 ? decimal : `${decimal}${decimal.includes('.') ? '' : '.'}${'0'.repeat(zeros)}`;
