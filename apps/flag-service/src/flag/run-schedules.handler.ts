import type { ScheduledChange } from '@tidegate/contracts';
import type { ServiceContext } from '@tidegate/platform';
import type { Documents } from '@tidegate/store';
import type { ChangeFlag } from './change-flag.handler.ts';
import { splitFlagId } from './flags.ts';
import { dueEntry } from './schedule.ts';
import { isLiving, type StoredFlag } from './stored-flag.ts';

export interface SchedulesParts {
  readonly context: Pick<ServiceContext, 'name' | 'clock' | 'ids' | 'log'>;
  readonly flags: Documents<StoredFlag>;
  readonly changeFlag: ChangeFlag;
}

/** Who has claimed a flag and is gone leaves it to others after this. */
const CLAIM_MS = 15_000;
const BATCH = 50;

/** One round over the flags whose schedule is due: any number of replicas share them. */
export function createSchedules(parts: SchedulesParts): { round(): Promise<void> } {
  const { context, flags } = parts;
  return {
    async round() {
      for (;;) {
        const due = await flags.claimDue(context.clock.now(), CLAIM_MS, BATCH);
        await Promise.all(due.map((id) => runOne(parts, id)));
        if (due.length < BATCH) return;
      }
    },
  };
}

/** Never rejects: what fails is due again when the claim ends. */
async function runOne({ context, flags, changeFlag }: SchedulesParts, id: string): Promise<void> {
  const { environment, key } = splitFlagId(id);
  try {
    const state = (await flags.load(id))?.state;
    const at = context.clock.now();
    const entry = state && isLiving(state) ? dueEntry(state.schedule ?? [], at) : undefined;
    if (!entry) return;
    const data = { environment, key, entry };
    await changeFlag({ type: 'RunSchedule', data, metadata: metadataFor(context, entry, at) });
  } catch (err) {
    context.log.error(
      { environment, flag: key, err },
      'a scheduled change could not be made; it is tried again',
    );
  }
}

/** In the name of who scheduled it. */
function metadataFor(
  { ids, name }: SchedulesParts['context'],
  { by }: ScheduledChange,
  at: number,
) {
  const id = ids.next();
  return { id, source: name, at, actor: `schedule:${by}`, correlationId: id };
}
