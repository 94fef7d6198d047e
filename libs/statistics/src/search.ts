const MOST = 2 ** 40;

/** The smallest whole number from `from` on that passes, where all after it do too; Infinity if none up to `most` does. */
export function firstThat(passes: (n: number) => boolean, from: number, most = MOST): number {
  let step = 1;
  let failed = from - 1;
  while (!passes(failed + step)) {
    failed += step;
    step *= 2;
    if (failed > most) return Infinity;
  }
  let passed = failed + step;
  while (passed - failed > 1) {
    const middle = Math.floor((passed + failed) / 2);
    if (passes(middle)) passed = middle;
    else failed = middle;
  }
  return passed;
}

const TEETH = 16;

/** The same where what passes is a saw, as whole numbers make it: one of the 16 before may pass as well. */
export function firstTooth(passes: (n: number) => boolean, from: number, most = MOST): number {
  const found = firstThat(passes, from, most);
  if (found === Infinity) return Infinity;
  let first = Math.max(from, found - TEETH);
  while (first < found && !passes(first)) first += 1;
  return first;
}

const CLOSE = 1e-13;

/**
 * Where a function that grows from at most 0 at `low` to at least 0 at `high` is zero, to 13 digits: regula falsi with
 * the Illinois rule, about eight evaluations where bisection needs fifty.
 */
export function rootOf(f: (x: number) => number, low: number, high: number): number {
  let [a, b] = [low, high];
  let [atA, atB] = [f(a), f(b)];
  for (let step = 0; step < 200 && b - a > CLOSE * Math.abs(b); step += 1) {
    // Every fourth step halves, so that it ends whatever the function looks like.
    const flat = step % 4 === 3 || atB === atA;
    const x = flat ? (a + b) / 2 : b - (atB * (b - a)) / (atB - atA);
    const at = f(x);
    if (at === 0) return x;
    if (at < 0) {
      [a, atA, atB] = [x, at, atB / 2];
    } else {
      [b, atB, atA] = [x, at, atA / 2];
    }
  }
  return b;
}
