/** The run was paused or ended, or another runner has it: what was read so far is of no use. */
class ShiftEnded extends Error {}

/** Ends the reading when the time for it is over; asked before each document. */
export async function goOn(shift: { goOn(): Promise<boolean> }): Promise<void> {
  if (!(await shift.goOn())) throw new ShiftEnded();
}

/** What reading gives; undefined when the time for it was over first. */
export async function unlessEnded<T>(reading: () => Promise<T>): Promise<T | undefined> {
  try {
    return await reading();
  } catch (error) {
    if (error instanceof ShiftEnded) return undefined;
    throw error;
  }
}
