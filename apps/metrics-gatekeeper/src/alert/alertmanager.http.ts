import { causeOf } from '@tidegate/kernel';
import type { Alertmanager } from './alertmanager.port.ts';

export interface AlertmanagerOptions {
  readonly url: string;
  /** Of the header; it is never logged. */
  readonly authorization?: string | undefined;
  readonly timeoutMs: number;
}

/** The API of Alertmanager, version 2. A redirect is an answer of somebody else than who was asked. */
export function alertmanager({ url, authorization, timeoutMs }: AlertmanagerOptions): Alertmanager {
  const address = `${url.replace(/\/+$/, '')}/api/v2/alerts`;
  return {
    async post(alerts) {
      try {
        const response = await fetch(address, {
          method: 'POST',
          redirect: 'manual',
          headers: {
            'content-type': 'application/json',
            ...(authorization === undefined ? {} : { authorization }),
          },
          body: JSON.stringify(alerts),
          signal: AbortSignal.timeout(timeoutMs),
        });
        const said = (await response.text()).slice(0, 200);
        return response.ok ? undefined : `It answered ${response.status}: ${said}`;
      } catch (error) {
        return `It could not be reached: ${causeOf(error)}`;
      }
    },
  };
}
