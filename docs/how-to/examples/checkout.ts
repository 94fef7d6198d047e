import { createTidegate } from '@tidegate/sdk';

const flags = createTidegate({
  url: process.env['TIDEGATE_FLAG_SERVICE_URL'] ?? 'http://127.0.0.1:7401',
  environment: 'production',
  key: process.env['TIDEGATE_KEY'] ?? '',
  application: 'shop',
});
await flags.ready();

const checkout = (user: string): string =>
  flags.boolean('checkout-v2', false, { targetingKey: user }) ? 'the new one' : 'the old one';

function report(): void {
  const users = Array.from({ length: 1_000 }, (_, n) => `user-${n}`);
  const reached = users.filter((user) => checkout(user) === 'the new one');
  console.log(`ada: ${checkout('ada')}; ${reached.length} of ${users.length} others: the new one`);
}

report();
flags.onChange('checkout-v2', report);
