import type { Command } from '@tidegate/kernel';

/** Why the runner paused a run by itself. */
export const STORE_RESTORED = 'store-restored';

/** An older backup of the store was put back, and its epoch was raised to this. */
export interface StoreRestored extends Command {
  readonly type: 'StoreRestored';
  readonly data: { readonly epoch: number };
}

/** What was done after the checkpoint is not pending any more; but whether the run should go on only a person knows. */
export const whyRestored = ({ data, metadata }: StoreRestored) => ({
  by: metadata.actor,
  because: STORE_RESTORED,
  reason:
    `${STORE_RESTORED} (epoch ${data.epoch}): an older backup of the store was put back, and what this run did since ` +
    'it was made is not known. Resume it, and it goes on with what is still pending; or cancel it.',
});
