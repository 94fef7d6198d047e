import { messageOf } from '@tidegate/kernel';
import type { RedisConnection } from '@tidegate/platform';
import type { AdoptionCounts, HourCount, UnknownKey } from './adoption-counts.port.ts';
import { type Counted, HOUR_MS, hourOf, KEPT_HOURS, MOST_UNKNOWN } from './counted.ts';
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
  readonly #countedSince: number;
  readonly #prefix: string;

  constructor(redis: RedisConnection, countedSince: number, prefix = 'tidegate:adoption') {
    this.#redis = redis;
    this.#countedSince = countedSince;
    this.#prefix = prefix;
  }

  async add(environment: string, { at, served, unknown, fetched }: Counted): Promise<void> {
    const pipeline = this.#pipeline().set(this.#since, this.#countedSince, 'NX');
    const touched = new Set<string>();
    for (const { application, flag, variant, count } of served) {
      const cell = this.#at(environment, `${hourOf(at)}:${flag}`);
      pipeline.hincrby(cell, JSON.stringify([application, variant]), count);
      if (!touched.has(cell)) pipeline.expire(cell, EXPIRES_S);
      touched.add(cell);
      pipeline.hset(this.#at(environment, 'asked'), flag, at);
    }
    const keys = this.#missed(environment);
    for (const { key, application, count } of unknown)
      pipeline.eval(MISS, 3, ...keys, at, key, application, count, MOST_UNKNOWN);
    if (fetched) pipeline.set(this.#at(environment, 'fetched'), at);
    await this.#run(pipeline);
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
