export type { CheckoutOptions } from './options.ts';
export { type RunningCheckout, startCheckout } from './start-checkout.nest.ts';
