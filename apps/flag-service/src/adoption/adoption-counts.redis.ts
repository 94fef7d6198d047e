import { messageOf } from '@tidegate/kernel';
import type { RedisConnection } from '@tidegate/platform';
import type { AdoptionCounts, HourCount } from './adoption-counts.port.ts';
import { type Counted, HOUR_MS, hourOf, KEPT_HOURS, MOST_UNKNOWN } from './counted.ts';

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

/** Counts that all replicas add to, in Redis. */
export function redisCounts(
  { client, asked }: RedisConnection,
  countedSince: number,
  prefix = 'tidegate:adoption',
): AdoptionCounts {
  const at = (environment: string, what: string): string => `${prefix}:${environment}:${what}`;
  const missed = (environment: string): readonly [string, string, string] => [
    at(environment, 'unknown'),
    at(environment, 'unknown-counts'),
    at(environment, 'unknown-by'),
  ];
  /** All of it in one go; the first failure is the failure of all. */
  const run = async (pipeline: ReturnType<typeof client.pipeline>): Promise<unknown[]> => {
    const results = (await asked(pipeline.exec())) ?? [];
    return results.map(([error, value]) => {
      if (error) throw new Error(messageOf(error), { cause: error });
      return value;
    });
  };
  const add = async (environment: string, counted: Counted): Promise<void> => {
    const pipeline = client.pipeline();
    pipeline.set(`${prefix}:since`, countedSince, 'NX');
    const touched = new Set<string>();
    for (const { application, flag, variant, count } of counted.served) {
      const cell = at(environment, `${hourOf(counted.at)}:${flag}`);
      pipeline.hincrby(cell, JSON.stringify([application, variant]), count);
      if (!touched.has(cell)) pipeline.expire(cell, EXPIRES_S);
      touched.add(cell);
      pipeline.hset(at(environment, 'asked'), flag, counted.at);
    }
    for (const { key, application, count } of counted.unknown)
      pipeline.eval(
        MISS,
        3,
        ...missed(environment),
        counted.at,
        key,
        application,
        count,
        MOST_UNKNOWN,
      );
    if (counted.fetched) pipeline.set(at(environment, 'fetched'), counted.at);
    await run(pipeline);
  };
  return {
    add,
    async counts(environment, flag, { hours, now }) {
      const last = hourOf(now);
      const range = Array.from({ length: hours }, (_, n) => last - hours + 1 + n);
      const pipeline = client.pipeline();
      for (const hour of range) pipeline.hgetall(at(environment, `${hour}:${flag}`));
      const cells = (await run(pipeline)) as Record<string, string>[];
      return range.flatMap((hour, n) => cellsOf(hour, cells[n] ?? {}));
    },
    async asked(environment) {
      const pipeline = client.pipeline();
      pipeline.get(`${prefix}:since`).hgetall(at(environment, 'asked'));
      const [since, flags, fetched] = (await run(pipeline.get(at(environment, 'fetched')))) as [
        string | null,
        Record<string, string>,
        string | null,
      ];
      return {
        countedSince: since === null ? countedSince : Number(since),
        flags: new Map(Object.entries(flags).map(([flag, when]) => [flag, Number(when)])),
        ...(fetched === null ? {} : { lastFetched: Number(fetched) }),
      };
    },
    async unknown(environment) {
      const [keys, counts, by] = missed(environment);
      const pipeline = client.pipeline().zrevrange(keys, 0, -1, 'WITHSCORES');
      const [scored, countOf, applicationOf] = (await run(
        pipeline.hgetall(counts).hgetall(by),
      )) as [string[], Record<string, string>, Record<string, string>];
      return Array.from({ length: scored.length / 2 }, (_, n) => {
        const [key = '', score] = scored.slice(2 * n);
        return {
          key,
          count: Number(countOf[key] ?? 0),
          lastAsked: Number(score),
          application: applicationOf[key] ?? '',
        };
      });
    },
  };
}

const cellsOf = (hour: number, cells: Record<string, string>): HourCount[] =>
  Object.entries(cells).map(([id, count]) => {
    const [application, variant] = JSON.parse(id) as [string, string];
    return { hour: hour * HOUR_MS, application, variant, count: Number(count) };
  });
