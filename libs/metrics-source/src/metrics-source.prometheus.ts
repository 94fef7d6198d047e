import type { Selector } from '@tidegate/contracts';
import type { Clock } from '@tidegate/kernel';
import { isAllowed, withoutSecrets } from './fetch-text.http.ts';
import type {
  MetricsSource,
  QueryAnswer,
  Reading,
  ReadRequest,
  TakenReading,
  UnreadSelector,
} from './metrics-source.port.ts';
import {
  familiesOf,
  type Found,
  mayHave,
  ofTargets,
  rulesAmong,
  takenFrom,
  upOf,
} from './prometheus-reading.ts';
import { type Failure, isFailure } from './prometheus-client.http.ts';
import { PrometheusServer, type ServerOptions } from './prometheus-server.http.ts';
import { MOST_SERIES, type Wanted, wantedOf } from './reading.ts';

export interface PrometheusOptions extends Partial<Omit<ServerOptions, 'authorization' | 'clock'>> {
  readonly clock: Clock;
  /** Value of the header Authorization, sent to this address and to no other. */
  readonly credentials?: { readonly url: string; readonly authorization: string } | undefined;
}

/**
 * Reads raw series from Prometheus, or what speaks its HTTP API; a target is the address of one, such as
 * `http://prometheus:9090`. What several callers want at about the same instant is a few queries, and nothing is asked
 * for twice. A reading says so in `lacks` when a target that had the series can no longer be scraped. A server that is
 * slow costs nobody more than `timeoutMs`; one that does not answer at all is left alone for a while.
 */
export function prometheusSource({ credentials, ...options }: PrometheusOptions): MetricsSource {
  const servers = new Map<string, PrometheusServer>();
  const serverAt = (url: string): PrometheusServer => {
    const known = servers.get(url);
    if (known) return known;
    const server = new PrometheusServer(url, {
      timeoutMs: 3_000,
      maxBytes: 16 * 1024 * 1024,
      maxSkewMs: 15_000,
      breakAfter: 5,
      breakForMs: 5_000,
      maxSeries: MOST_SERIES,
      shareForMs: 500,
      authorization: isSame(credentials?.url, url) ? credentials?.authorization : undefined,
      ...options,
    });
    servers.set(url, server);
    return server;
  };
  return {
    read: (requests: readonly ReadRequest[], at: number): Promise<readonly Reading[]> =>
      Promise.all(
        [...wantedOf(requests)].map(([target, wanted]) =>
          readFrom(serverAt(target), target, wanted, at),
        ),
      ),
  };
}

const isSame = (one: string | undefined, other: string): boolean =>
  one?.replace(/\/$/, '') === other.replace(/\/$/, '');

const failed = (target: string, at: number, { failure, message }: Failure): Reading => ({
  outcome: 'failed',
  target,
  at,
  failure,
  message,
});

async function readFrom(
  server: PrometheusServer,
  target: string,
  wanted: Wanted,
  at: number,
): Promise<Reading> {
  if (!isAllowed(target))
    return failed(target, at, {
      failure: 'not-allowed',
      message: `${withoutSecrets(target)} is not an http or https address without credentials.`,
    });
  const [series, answers, rules] = await Promise.all([
    server.inTime(() => readSeries(server, target, wanted.selectors, at)),
    answersOf(server, wanted.queries, at),
    rulesOf(server, wanted.rules, at),
  ]);
  if (isFailure(series)) return failed(target, at, series);
  const unanswered = Object.values(answers).filter(isFailure);
  if (wanted.selectors.length === 0 && unanswered[0] && unanswered.length === wanted.queries.length)
    return failed(target, at, unanswered[0]);
  return {
    ...series,
    ...(wanted.queries.length > 0 ? { answers } : {}),
    ...(wanted.rules.length > 0 ? rules : {}),
  };
}

async function readSeries(
  server: PrometheusServer,
  target: string,
  selectors: readonly Selector[],
  at: number,
): Promise<TakenReading | Failure> {
  const answers = await Promise.all(selectors.map((each) => selectedBy(server, each, at)));
  const found = new Set(
    answers.flatMap((each) => ('failure' in each ? [] : each.samples)).map(({ name }) => name),
  );
  const known = await Promise.all(
    answers.map(async (each) =>
      'failure' in each || found.has(each.selector.metric) ? each : declaringOf(server, each, at),
    ),
  );
  const unread = known.filter((each) => 'failure' in each);
  if (unread[0] && unread.length === selectors.length) return unread[0];
  return takenFrom(
    target,
    at,
    known.flatMap((each) => ('failure' in each ? [] : [each])),
    unread,
  );
}

const selectedBy = async (
  server: PrometheusServer,
  selector: Selector,
  at: number,
): Promise<Found | UnreadSelector> => ({ selector, ...(await server.select(selector, at)) });

async function answersOf(
  server: PrometheusServer,
  queries: readonly string[],
  at: number,
): Promise<Readonly<Record<string, QueryAnswer>>> {
  const answers = queries.map(async (query) => [query, await server.evaluate(query, at)] as const);
  return Object.fromEntries(await Promise.all(answers));
}

async function rulesOf(
  server: PrometheusServer,
  wanted: readonly string[],
  at: number,
): Promise<Pick<TakenReading, 'rules' | 'ruleFailures'>> {
  if (wanted.length === 0) return {};
  const all = await server.rules(at);
  return isFailure(all)
    ? { rules: [], ruleFailures: Object.fromEntries(wanted.map((rule) => [rule, all.message])) }
    : rulesAmong(wanted, all);
}

/** Of a metric without series: who declares it, and whether they are up. A dead target's silence is no good news. */
async function declaringOf(
  server: PrometheusServer,
  found: Found,
  at: number,
): Promise<Found | UnreadSelector> {
  const { selector } = found;
  const families = familiesOf(selector.metric);
  const lists = await Promise.all(families.map((each) => server.targets(each, at)));
  const unlisted = lists.find(isFailure);
  if (unlisted) return { selector, ...unlisted };
  const targets = lists
    .flatMap((list) => (isFailure(list) ? [] : list.targets))
    .filter((labels) => mayHave(labels, selector));
  if (targets.length === 0) return found;
  const up = await server.select(upOf(targets), at);
  return isFailure(up)
    ? { selector, ...up }
    : { ...found, declaring: ofTargets(up.samples, targets) };
}
