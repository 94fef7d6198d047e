export { type ProviderOptions, TidegateProvider } from './openfeature/provider.openfeature.ts';
