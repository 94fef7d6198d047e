/** One replica of the gatekeeper, to be killed: says each check and each published message in a line. */
import type { MetricsSource } from '@tidegate/metrics-source';
import { systemClock } from '@tidegate/platform';
import { openMongoStore } from '@tidegate/store';
import { instance, looping, recording, type Size } from './gatekeeper.house.ts';

export interface Given {
  readonly url: string;
  readonly size: Size;
  readonly badFrom: number;
  /** How long its source takes: meanwhile the check is claimed, and lost with the process. */
  readonly readMs: number;
}
export type Said =
  | { readonly ready: true }
  | { readonly checked: string; readonly at: number; readonly doneAt: number }
  | { readonly published: string; readonly type: string; readonly rollout: string }
  | { readonly failed: string };

const { url, size, badFrom, readMs } = JSON.parse(process.argv[2] ?? '{}') as Given;
const say = (said: Said): void => void process.stdout.write(`${JSON.stringify(said)}\n`);
const clock = systemClock;
const store = await openMongoStore({ url, clock });
const recorded = recording(size, badFrom);
const source: MetricsSource = {
  async read(requests, at) {
    await new Promise((resolve) => {
      setTimeout(resolve, readMs);
    });
    return recorded.read(requests, at);
  },
};
const gatekeeper = instance(store, clock, source, {
  onDue: (at) => loop.due(at),
  onChecked: ({ rollout, decisionMs }) => {
    const doneAt = clock.now();
    say({ checked: rollout, at: doneAt - decisionMs, doneAt });
  },
  onFailed: (rollout, error) => say({ failed: `${rollout}: ${String(error)}` }),
  onPublished: (messages) => {
    for (const { type, key, metadata } of messages)
      say({ published: metadata.id, type, rollout: key });
  },
});
const loop = looping(gatekeeper, clock);
say({ ready: true });
process.once('SIGTERM', () => {
  void loop.stop().then(() => store.close());
});
