import type { MetricsSource, Reading, ReadRequest } from './metrics-source.port.ts';

const PROMETHEUS = 'prometheus';

/** Names a Prometheus as a target: the one at this address, or the one that the service is configured with. */
export const prometheusTarget = (url?: string): string =>
  url === undefined ? PROMETHEUS : `${PROMETHEUS}:${url}`;

/**
 * Asks each target where it belongs: what `prometheusTarget` names is read from Prometheus, any other address scraped.
 * @param defaultUrl the Prometheus of targets that name none; without it they are not asked
 */
export function sourceByTarget({
  scrape,
  prometheus,
  defaultUrl,
}: {
  readonly scrape: MetricsSource;
  readonly prometheus: MetricsSource;
  readonly defaultUrl?: string | undefined;
}): MetricsSource {
  return {
    async read(requests, at) {
      const targets = [...new Set(requests.map(({ target }) => target))];
      const of = (target: string) => requests.filter((each) => each.target === target);
      const readings = await Promise.all(
        targets.map((target): Promise<readonly Reading[]> => {
          const url = addressOf(target, defaultUrl);
          if (url === SCRAPED) return scrape.read(of(target), at);
          return url === undefined
            ? Promise.resolve([notConfigured(target, at)])
            : readAs(prometheus, of(target), url, at);
        }),
      );
      return readings.flat();
    },
  };
}

const SCRAPED = Symbol('scraped');

function addressOf(target: string, defaultUrl: string | undefined) {
  if (target === PROMETHEUS) return defaultUrl;
  const prefix = `${PROMETHEUS}:`;
  return target.startsWith(prefix) ? target.slice(prefix.length) : SCRAPED;
}

/** Two names of one Prometheus stay two targets. */
async function readAs(
  source: MetricsSource,
  requests: readonly ReadRequest[],
  url: string,
  at: number,
): Promise<readonly Reading[]> {
  const readings = await source.read(
    requests.map((each) => ({ ...each, target: url })),
    at,
  );
  return readings.map((reading) => ({ ...reading, target: requests[0]?.target ?? url }));
}

const notConfigured = (target: string, at: number): Reading => ({
  outcome: 'failed',
  target,
  at,
  failure: 'not-allowed',
  message:
    'The plan reads from Prometheus and names none, and no default is configured (PROMETHEUS_URL).',
});
