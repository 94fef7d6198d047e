import { OpenFeature, ProviderEvents } from '@openfeature/server-sdk';
import { TidegateProvider } from '@tidegate/sdk/openfeature';

const provider = new TidegateProvider({
  url: process.env['TIDEGATE_FLAG_SERVICE_URL'] ?? 'http://127.0.0.1:7401',
  environment: 'production',
  key: process.env['TIDEGATE_KEY'] ?? '',
  application: 'shop',
});
await OpenFeature.setProviderAndWait(provider);
const flags = OpenFeature.getClient();

const user = { targetingKey: 'ada', plan: 'pro', seats: 12 };
if (await flags.getBooleanValue('checkout-v2', false, user)) console.log('the new checkout');
else console.log('the old checkout');

type Retry = { attempts: number };
const banner = await flags.getStringValue('banner', 'none', user);
const items = await flags.getNumberValue('max-items', 10, user);
const discount = await flags.getNumberValue('discount', 0, user);
const retry = await flags.getObjectValue<Retry>('retry', { attempts: 1 }, user);
const validation = await flags.getStringValue('address-check', 'off', user); // off, warn or enforce
console.log(banner, items, discount, retry.attempts, validation);

const asked = await flags.getBooleanDetails('checkout-v2', false, user);
console.log(asked.variant, asked.reason);

flags.addHandler(ProviderEvents.ConfigurationChanged, (event) => {
  console.log(`changed: ${event?.flagsChanged?.join(', ')}`);
});
