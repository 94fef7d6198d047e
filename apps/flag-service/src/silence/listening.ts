/** Since when this process has listened, without a break that may have cost it a sign of life. */
export interface Listening {
  readonly since: number;
  readonly lastAt: number;
}

/** Between two looks of a process that is not held up; longer, and it was suspended or its clock was set forward. */
const LONGEST_PAUSE_MS = 10_000;
/** Three heartbeats: who is there has been heard after so long. */
const LISTEN_FIRST_MS = 15_000;

export function listen(before: Listening | undefined, now: number): Listening {
  const isBreak = !before || now < before.lastAt || now - before.lastAt > LONGEST_PAUSE_MS;
  return { since: isBreak ? now : before.since, lastAt: now };
}

/** Whoever has just begun to listen cannot say that others are silent. */
export const mayJudge = ({ since, lastAt }: Listening): boolean =>
  lastAt - since >= LISTEN_FIRST_MS;
