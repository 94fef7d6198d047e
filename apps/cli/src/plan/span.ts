import { formatDuration } from '@tidegate/kernel';

/** Below a minute with tenths of a second: much happens within one. */
export const span = (ms: number): string =>
  ms < 60_000 ? `${Number((ms / 1_000).toFixed(1))}s` : formatDuration(ms);
export const after = (ms: number): string => `+${span(ms)}`;
