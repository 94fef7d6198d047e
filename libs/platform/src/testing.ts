export { type TestAnswer, TestClient } from './test-client.http.ts';
export {
  startTestService,
  type TestService,
  type TestServiceOptions,
} from './test-service.nest.ts';
export { testRedis } from './redis/test-redis.redis.ts';
