export { redisBootstrap, type RedisBootstrapOptions } from './bootstrap.redis.ts';
