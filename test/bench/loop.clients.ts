import { createTidegate, type FlagChange, type Tidegate } from '@tidegate/sdk';
import { createKafkaTidegate } from '@tidegate/sdk/kafka';
import { busUrlOf, ENVIRONMENT, type House } from './house.process.ts';

export const SUBSCRIBERS = 10;
const WITHIN_MS = 10_000;
export const FLAGS = `/v1/environments/${ENVIRONMENT}/flags`;

export const flagAt = (percentage: number) => ({
  type: 'boolean',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  offVariant: 'off',
  exposure: { variant: 'on', percentage },
});

type Flag = NonNullable<FlagChange['after']['flag']>;

/** Resolves, with the time of the last one, when every client holds a flag that is so. */
export function everywhere(
  clients: readonly Tidegate[],
  key: string,
  isSo: (flag: Flag) => boolean,
): Promise<number> {
  const missing = new Set(clients);
  return new Promise((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error(`${missing.size} clients did not get ${key} in time.`)),
      WITHIN_MS,
    );
    for (const client of clients) {
      const stop = client.onChange(key, ({ after: { flag } }) => {
        if (!flag || !isSo(flag)) return;
        stop();
        missing.delete(client);
        if (missing.size > 0) return;
        clearTimeout(late);
        resolve(performance.now());
      });
    }
  });
}

export const opens = (percentage: number) => (flag: Flag) =>
  flag.definition.exposure.percentage === percentage * 1_000;

/** Clients of the stream, shared out among the replicas of flag-service. */
export const onStreams = async ({ urls, sdkKey }: House): Promise<readonly Tidegate[]> => {
  const replicas = urls['flag-service'] ?? [];
  return Array.from({ length: SUBSCRIBERS }, (_, n) =>
    createTidegate({
      url: replicas[n % replicas.length] ?? '',
      environment: ENVIRONMENT,
      key: sdkKey,
      instance: `bench-${n}`,
    }),
  );
};

/** Clients that read the state topic themselves. */
export const onTopic = ({ servers }: House): Promise<readonly Tidegate[]> =>
  Promise.all(
    Array.from({ length: SUBSCRIBERS }, (_, n) =>
      createKafkaTidegate({
        url: busUrlOf(servers?.kafka ?? ''),
        environment: ENVIRONMENT,
        instance: `bench-${n}`,
      }),
    ),
  );
