import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Shares of the requests of one version. */
export interface Served {
  readonly failing: number;
  /** Slower than half a second. */
  readonly slow: number;
}

/** What each tenth request, that of the new version, and each other one meets; how many wait; whether an alert is on. */
export interface Load {
  readonly canary: Served;
  readonly baseline: Served;
  readonly queue: number;
  readonly broken: number;
  /** Times that a line is printed "out of paper" between two scrapes. */
  readonly jams: number;
}

export const HEALTHY: Served = { failing: 0.01, slow: 0.05 };
export const QUIET: Load = { canary: HEALTHY, baseline: HEALTHY, queue: 3, broken: 0, jams: 0 };

/** A real exporter: each scrape finds 1 000 more requests of each shop. */
export interface Shops extends AsyncDisposable {
  readonly address: string;
  /** From the next scrape on. */
  meets(shop: string, load: Partial<Load>): void;
}

export async function openShops(names: readonly string[]): Promise<Shops> {
  const loads = new Map(names.map((name) => [name, QUIET]));
  const shops = names.map((name) => shop(name, () => loads.get(name) ?? QUIET));
  const server = createServer((_request, response) => {
    const text = shops.map((scrape) => scrape()).join('');
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(text);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    meets: (name, load) => void loads.set(name, { ...QUIET, ...load }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Both versions of an application, as they print their metrics. */
function shop(name: string, load: () => Load): () => string {
  const counted = { new: zero(), old: zero() };
  let jams = 0;
  return () => {
    const { canary, baseline, queue, broken, jams: more } = load();
    jams += more;
    const parts = [
      printed(name, 'new', count(counted.new, 100, canary)),
      printed(name, 'old', count(counted.old, 900, baseline)),
    ];
    return `${parts.join('')}queue_length{shop="${name}"} ${queue}
checkout_broken{shop="${name}"} ${broken}
jams_total{shop="${name}"} ${jams}
`;
  };
}

const zero = () => ({ all: 0, failed: 0, slow: 0 });
type Counted = ReturnType<typeof zero>;

function count(so: Counted, requests: number, { failing, slow }: Served): Counted {
  so.all += requests;
  so.failed += Math.round(requests * failing);
  so.slow += Math.round(requests * slow);
  return so;
}

function printed(shop: string, variant: string, { all, failed, slow }: Counted): string {
  const labels = `shop="${shop}",variant="${variant}"`;
  return `requests_total{${labels},code="200"} ${all - failed}
requests_total{${labels},code="500"} ${failed}
latency_seconds_bucket{${labels},le="0.5"} ${all - slow}
latency_seconds_bucket{${labels},le="+Inf"} ${all}
latency_seconds_count{${labels}} ${all}
`;
}

/** What Prometheus would have kept of healthy shops, from `from` to `to` (seconds since 1970), as OpenMetrics. */
export function pastOf(names: readonly string[], from: number, to: number, stepS: number): string {
  const families = new Map<string, string[]>();
  for (const name of names) {
    const scrape = shop(name, () => QUIET);
    for (let at = from; at <= to; at += stepS)
      for (const line of scrape().trimEnd().split('\n')) {
        const [series = '', value = ''] = line.split(' ');
        const [metric = '', rest = ''] = series.split('{');
        const all = families.get(metric) ?? [];
        all.push(`${metric}{job="shop",${rest} ${value} ${at}\n`);
        families.set(metric, all);
      }
  }
  return `${[...families.values()].flat().join('')}# EOF\n`;
}
