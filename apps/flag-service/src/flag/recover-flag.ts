import type { Flag, FlagCommand } from '@tidegate/contracts';
import type { Command, Revision } from '@tidegate/kernel';
import type { RunSchedule } from './schedule.ts';

/** What this service asks of itself after an older backup of the store was put back. */
export interface RecoverFlag extends Command {
  readonly type: 'RecoverFlag';
  readonly data: {
    readonly environment: string;
    readonly key: string;
    /** As the state topic has it; null: deleted. */
    readonly flag: Flag | null;
    /** Of that state. */
    readonly from: Revision;
  };
}

export type AnyFlagCommand = FlagCommand | RecoverFlag | RunSchedule;

export const RECOVERED = 'recovered from the state topic after an older backup was put back';
