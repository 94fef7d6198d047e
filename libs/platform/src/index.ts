export { type Caller, mayUse } from './auth/access.ts';
export {
  Public,
  RequireRole,
  requireEnvironment,
  type RoleScope,
  Who,
} from './auth/decorators.nest.ts';
export { authorize, permission } from './auth/key-guard.nest.ts';
export { type Environment, processEnvironment, readConfig } from './config/config.ts';
export { configMarkdown, type ConfigRow, configTable, envExample } from './config/config-table.ts';
export { PlatformConfig } from './config/platform-config.ts';
export { type AuthCode, authCodes, type PlatformErrorCode, platformErrorCodes } from './errors.ts';
export { type Asking, type FastRoute } from './http/fast-route.ts';
export { answer, refusalOf } from './http/answer.http.ts';
export { commandFrom, newMessage } from './http/command.ts';
export { Describe } from './http/describe.nest.ts';
export { etagOf, expectedVersion, ifMatch, isCurrent } from './http/etag.ts';
export { Asked, CommandRoute, type Exchange } from './http/exchange.nest.ts';
export { LargeBody } from './http/large-body.nest.ts';
export { type Page, pageOf, type PageQuery, pageQuery } from './http/page.ts';
export {
  ApiAnswer,
  ApiBodyOf,
  TextBody,
  ZodBody,
  ZodParam,
  ZodQuery,
} from './http/parameters.nest.ts';
export { type Problem } from './http/problem.ts';
export { LimitedAsHeartbeat, NeverLimited } from './limits/limits.nest.ts';
export type { RedisConnection } from './redis/connection.redis.ts';
export { runService } from './lifecycle/run-service.nest.ts';
export { type Shared, startService, type StartOptions } from './lifecycle/start-service.nest.ts';
export { commandsByHand, disableByHand } from './pager/words.ts';
export { type Log, type LogOptions, openLog } from './log/log.file.ts';
export {
  defineService,
  type HealthCheck,
  type RunningService,
  type ServiceContext,
  type ServiceDefinition,
} from './service.ts';
export { randomIds, systemClock } from './system-clock.ts';
export { SERVICE_CONTEXT } from './tokens.ts';
export {
  type SendWebhook,
  type Sent,
  signedWebhook,
  type WebhookOptions,
  type WebhookPost,
} from './webhook/webhook.http.ts';
export { webhookSecret, webhookUrl } from './webhook/webhook-options.ts';
