import pc from 'picocolors';

interface Point {
  readonly outcome: string;
  readonly value: number | null;
  readonly boundary: number | null;
}

const BARS = '▁▂▃▄▅▆▇█';
export const PRESSURE_WIDTH = 24;

/** How near a guard came to its boundary over time, as a line of bars: full and red is a breach, empty is good evidence. */
export function pressure(points: readonly Point[], width = PRESSURE_WIDTH): string {
  if (points.length === 0) return pc.dim('·'.repeat(width));
  const bars = Array.from({ length: width }, (_, index) => {
    const from = Math.floor((index * points.length) / width);
    const until = Math.max(from + 1, Math.floor(((index + 1) * points.length) / width));
    return barOf(points.slice(from, until));
  });
  return bars.join('');
}

/** The worst of its points. */
function barOf(points: readonly Point[]): string {
  if (points.some(({ outcome }) => outcome === 'breach')) return pc.red('█');
  const near = Math.max(...points.map(nearness));
  const bar = BARS[Math.min(BARS.length - 1, Math.floor(near * BARS.length))] ?? '▁';
  return near >= 0.5 ? pc.yellow(bar) : pc.cyan(bar);
}

/** 0: as far away as can be; 1: at the boundary. */
function nearness({ value, boundary }: Point): number {
  if (value === null || boundary === null || boundary <= 0) return 0;
  return Math.min(1, Math.max(0, value / boundary));
}
