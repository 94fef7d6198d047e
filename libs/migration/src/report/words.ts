const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'];

/** `12 345`. */
export const grouped = (count: number): string => count.toLocaleString('en').replaceAll(',', ' ');

/** `1 document`, `12 345 documents`. */
export const documents = (count: number): string =>
  `${grouped(count)} document${count === 1 ? '' : 's'}`;

/** `1.2 MB`, in steps of 1 000. */
export function bytes(count: number): string {
  let [value, unit] = [count, 0];
  for (; value >= 1_000 && unit < UNITS.length - 1; unit += 1) value /= 1_000;
  return `${unit === 0 ? value : Number(value.toPrecision(3))} ${UNITS[unit]}`;
}

/** The first few of a list, and how many more there are. */
export const firstOf = (items: readonly unknown[], total = items.length): string =>
  [...items.slice(0, 3), ...(total > 3 ? [`${grouped(total - 3)} more`] : [])].join(', ');
