/** ln Σ e^term(k) over k = 0 … count − 1, without overflow; terms of −∞ count as nothing. */
export function logSum(count: number, term: (k: number) => number): number {
  let top = -Infinity;
  let sum = 0;
  for (let k = 0; k < count; k += 1) {
    const value = term(k);
    if (value <= top) sum += Math.exp(value - top);
    else {
      sum = sum * Math.exp(top - value) + 1;
      top = value;
    }
  }
  return top === -Infinity ? top : top + Math.log(sum);
}
