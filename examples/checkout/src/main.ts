import { messageOf } from '@tidegate/kernel';
import { readConfig } from './config.ts';
import { startCheckout } from './start-checkout.nest.ts';

try {
  const checkout = await startCheckout(readConfig(process.env));
  process.stdout.write(`checkout answers at ${checkout.url}\n`);
  const stop = () => {
    checkout.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`checkout: ${messageOf(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
} catch (error) {
  process.stderr.write(`checkout: ${messageOf(error)}\n`);
  process.exit(1);
}
