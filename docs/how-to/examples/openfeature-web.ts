import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';
import { type Client, OpenFeature, type Provider } from '@openfeature/web-sdk';

/** @param origin of your site, where `/flags` leads to flag-service: `location.origin` */
export async function connect(origin: string, user: string, everyMs = 30_000): Promise<Client> {
  await OpenFeature.setContext({ targetingKey: user });
  const provider = new OFREPWebProvider({ baseUrl: `${origin}/flags`, pollInterval: everyMs });
  // `as Provider` is for exactOptionalPropertyTypes alone.
  await OpenFeature.setProviderAndWait(provider as Provider);
  return OpenFeature.getClient();
}
