/** The example service in a process of its own: started by the demo, told what it sees of flags. */
import { type CheckoutOptions, startCheckout } from '@tidegate/checkout';
import { messageOf } from '@tidegate/kernel';

export interface ExampleReady {
  readonly ready: { readonly url: string; readonly database: string };
}
export interface ExampleSaw {
  /** A flag's change in this process; `at` in ms since 1970. */
  readonly saw: { readonly key: string; readonly percentage: number; readonly at: number };
}
export interface ExampleFailed {
  readonly failed: string;
}
export type ExampleMessage = ExampleReady | ExampleSaw | ExampleFailed;

const tell = (message: ExampleMessage): void => void process.send?.(message);

process.once('message', (options: CheckoutOptions) => {
  startCheckout(options).then(
    (checkout) => {
      checkout.flags.onChange('*', ({ key, after, at }) => {
        const exposure = after?.flag?.definition.exposure.percentage ?? 0;
        tell({ saw: { key, percentage: after?.flag?.disabled ? 0 : exposure, at } });
      });
      tell({ ready: { url: checkout.url, database: checkout.database } });
      process.once('SIGTERM', () => void checkout.stop().then(() => process.exit(0)));
    },
    (error: unknown) => tell({ failed: messageOf(error) }),
  );
});
// Without its parent there is nobody to serve.
process.once('disconnect', () => process.exit(0));
