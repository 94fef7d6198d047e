import { messageOf } from '@tidegate/kernel';
import type { RedisConnection } from '@tidegate/platform';
import type { AdoptionCounts, HourCount, UnknownKey } from './adoption-counts.port.ts';
import {
  type Counted,
  HOUR_MS,
  hourOf,
  KEPT_HOURS,
  MOST_CELLS_OF_FLAG,
  MOST_UNKNOWN,
  OTHERS,
} from './counted.ts';
import type { Asked } from './last-asked.port.ts';

/*
 * Below the prefix, ms since 1970 as text:
 *   since                         when counting began
 *   <environment>:<hour>:<flag>   hash [application, variant] → count, gone after KEPT_HOURS
 *   <environment>:asked           hash flag → when it was last asked for
 *   <environment>:fetched         when all flags were last fetched at once
 *   <environment>:unknown         sorted set of keys by when they were last asked for
 *   <environment>:unknown-counts  hash key → count
 *   <environment>:unknown-by      hash key → application
 */
const EXPIRES_S = ((KEPT_HOURS + 1) * HOUR_MS) / 1_000;

/** Beyond so many cells new applications share one. What was asked is as of the latest time, in whatever order batches come. */
const SERVE = `
local cell = ARGV[1]
if redis.call('HEXISTS', KEYS[1], cell) == 0 and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then cell = ARGV[2] end
redis.call('HINCRBY', KEYS[1], cell, ARGV[3])
if tonumber(ARGV[6]) > tonumber(redis.call('HGET', KEYS[2], ARGV[5]) or 0) then redis.call('HSET', KEYS[2], ARGV[5], ARGV[6]) end`;

const FETCH = `
if tonumber(ARGV[1]) > tonumber(redis.call('GET', KEYS[1]) or 0) then redis.call('SET', KEYS[1], ARGV[1]) end`;

/** At once, so that a key that one replica forgets is not half there again by another. */
const MISS = `
redis.call('ZADD', KEYS[1], 'GT', ARGV[1], ARGV[2])
redis.call('HINCRBY', KEYS[2], ARGV[2], ARGV[4])
redis.call('HSET', KEYS[3], ARGV[2], ARGV[3])
local over = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[5])
if over > 0 then
  local gone = redis.call('ZPOPMIN', KEYS[1], over)
  for i = 1, #gone, 2 do
    redis.call('HDEL', KEYS[2], gone[i])
    redis.call('HDEL', KEYS[3], gone[i])
  end
end`;

type Pipeline = ReturnType<RedisConnection['client']['pipeline']>;

/** Counts that all replicas add to, in Redis. */
export class RedisCounts implements AdoptionCounts {
  readonly #redis: RedisConnection;
  /** What is told while there is nothing in Redis: nothing yet, or nothing any more. */
  #countedSince: number;
  readonly #prefix: string;

  constructor(redis: RedisConnection, countedSince: number, prefix = 'tidegate:adoption') {
    this.#redis = redis;
    this.#countedSince = countedSince;
    this.#prefix = prefix;
  }

  async add(environment: string, { at, served, unknown, fetched }: Counted): Promise<void> {
    // Not since this process runs: Redis may have been emptied meanwhile.
    const pipeline = this.#pipeline().set(this.#since, at, 'NX');
    const touched = new Set<string>();
    const asked = this.#at(environment, 'asked');
    for (const { application, flag, variant, count } of served) {
      const cells = this.#at(environment, `${hourOf(at)}:${flag}`);
      const names = [application, OTHERS].map((name) => JSON.stringify([name, variant]));
      pipeline.eval(SERVE, 2, cells, asked, ...names, count, MOST_CELLS_OF_FLAG, flag, at);
      if (!touched.has(cells)) pipeline.expire(cells, EXPIRES_S);
      touched.add(cells);
    }
    const keys = this.#missed(environment);
    for (const { key, application, count } of unknown)
      pipeline.eval(MISS, 3, ...keys, at, key, application, count, MOST_UNKNOWN);
    if (fetched) pipeline.eval(FETCH, 1, this.#at(environment, 'fetched'), at);
    await this.#run(pipeline);
    this.#countedSince = Math.max(this.#countedSince, at);
  }

  async counts(
    environment: string,
    flag: string,
    { hours, now }: { readonly hours: number; readonly now: number },
  ): Promise<readonly HourCount[]> {
    const last = hourOf(now);
    const range = Array.from({ length: hours }, (_, n) => last - hours + 1 + n);
    const pipeline = this.#pipeline();
    for (const hour of range) pipeline.hgetall(this.#at(environment, `${hour}:${flag}`));
    const cells = (await this.#run(pipeline)) as Record<string, string>[];
    return range.flatMap((hour, n) => cellsOf(hour, cells[n] ?? {}));
  }

  async asked(environment: string): Promise<Asked> {
    const pipeline = this.#pipeline()
      .get(this.#since)
      .hgetall(this.#at(environment, 'asked'))
      .get(this.#at(environment, 'fetched'));
    const [since, flags, fetched] = (await this.#run(pipeline)) as [
      string | null,
      Record<string, string>,
      string | null,
    ];
    return {
      countedSince: since === null ? this.#countedSince : Number(since),
      flags: new Map(Object.entries(flags).map(([flag, at]) => [flag, Number(at)])),
      ...(fetched === null ? {} : { lastFetched: Number(fetched) }),
    };
  }

  async unknown(environment: string): Promise<readonly UnknownKey[]> {
    const [keys, counts, by] = this.#missed(environment);
    const pipeline = this.#pipeline()
      .zrevrange(keys, 0, -1, 'WITHSCORES')
      .hgetall(counts)
      .hgetall(by);
    const [scored, countOf, applicationOf] = (await this.#run(pipeline)) as [
      string[],
      Record<string, string>,
      Record<string, string>,
    ];
    return Array.from({ length: scored.length / 2 }, (_, n) => {
      const [key = '', score] = scored.slice(2 * n);
      return {
        key,
        count: Number(countOf[key] ?? 0),
        lastAsked: Number(score),
        application: applicationOf[key] ?? '',
      };
    });
  }

  get #since(): string {
    return `${this.#prefix}:since`;
  }

  #at(environment: string, what: string): string {
    return `${this.#prefix}:${environment}:${what}`;
  }

  #missed(environment: string): readonly [string, string, string] {
    const at = (what: string): string => this.#at(environment, what);
    return [at('unknown'), at('unknown-counts'), at('unknown-by')];
  }

  #pipeline(): Pipeline {
    return this.#redis.client.pipeline();
  }

  /** All of it in one go; the first failure is the failure of all. */
  async #run(pipeline: Pipeline): Promise<unknown[]> {
    const results = (await this.#redis.asked(pipeline.exec())) ?? [];
    return results.map(([error, value]) => {
      if (error) throw new Error(messageOf(error), { cause: error });
      return value;
    });
  }
}

const cellsOf = (hour: number, cells: Record<string, string>): HourCount[] =>
  Object.entries(cells).map(([id, count]) => {
    const [application, variant] = JSON.parse(id) as [string, string];
    return { hour: hour * HOUR_MS, application, variant, count: Number(count) };
  });
