import { Controller, Get, HttpCode, Inject, Post } from '@nestjs/common';
import { flagKey, name, sdkHeartbeat, type SdkHeartbeat } from '@tidegate/contracts';
import { LimitedAsHeartbeat, RequireRole, ZodBody, ZodParam } from '@tidegate/platform';
import { INSTANCES } from '../tokens.ts';
import type { Instances } from './instances.handler.ts';

@Controller('v1/environments/:env')
export class HeartbeatController {
  readonly #instances: Instances;

  constructor(@Inject(INSTANCES) instances: Instances) {
    this.#instances = instances;
  }

  /** An application's instance tells what it has applied; the environment is that of the path. */
  @Post('heartbeats')
  @HttpCode(204)
  @LimitedAsHeartbeat()
  @RequireRole('sdk', { environment: 'env' })
  report(@ZodParam('env', name) environment: string, @ZodBody(sdkHeartbeat) beat: SdkHeartbeat) {
    return this.#instances.report(environment, beat);
  }

  /** On how many of the instances heard of within 30 s the flag's present version is in force. */
  @Get('flags/:key/applied')
  @RequireRole('viewer', { environment: 'env' })
  applied(@ZodParam('env', name) environment: string, @ZodParam('key', flagKey) key: string) {
    return this.#instances.applied(environment, key);
  }
}
