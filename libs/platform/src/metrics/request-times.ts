const NAME = 'tidegate_http_request_duration_seconds';
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

interface Cell {
  readonly labels: string;
  /** Per bound, those that fell in it and not in one before; the last one is beyond all bounds. */
  readonly counts: number[];
  sum: number;
}

/**
 * The histogram of answered requests, by method, route and status. It stands in the way of every request, and
 * prom-client's sorts and joins the labels each time.
 */
export class RequestTimes {
  readonly #cells = new Map<string, Map<number, Cell>>();

  observe(method: string, route: string, status: number, seconds: number): void {
    const cell = this.#cell(method, route, status);
    const found = BOUNDS.findIndex((bound) => seconds <= bound);
    const place = found === -1 ? BOUNDS.length : found;
    cell.counts[place] = (cell.counts[place] ?? 0) + 1;
    cell.sum += seconds;
  }

  #cell(method: string, route: string, status: number): Cell {
    const key = `${method} ${route}`;
    const ofRoute = this.#cells.get(key) ?? new Map<number, Cell>();
    const known = ofRoute.get(status);
    if (known) return known;
    const labels = `method="${method}",route=${JSON.stringify(route)},status="${status}"`;
    const cell = { labels, counts: Array.from(BOUNDS, () => 0).concat(0), sum: 0 };
    this.#cells.set(key, ofRoute.set(status, cell));
    return cell;
  }

  /** In Prometheus' text format. */
  text(): string {
    const cells = [...this.#cells.values()].flatMap((ofRoute) => [...ofRoute.values()]);
    const head = [`# HELP ${NAME} Time to answer a request.`, `# TYPE ${NAME} histogram`];
    return [...head, ...cells.flatMap(linesOf), ''].join('\n');
  }
}

function linesOf({ labels, counts, sum }: Cell): string[] {
  let total = 0;
  const buckets = counts.map((count, place) => {
    total += count;
    return `${NAME}_bucket{le="${BOUNDS[place] ?? '+Inf'}",${labels}} ${total}`;
  });
  return [...buckets, `${NAME}_sum{${labels}} ${sum}`, `${NAME}_count{${labels}} ${total}`];
}
