import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { SdkAlive } from '@tidegate/contracts';
import { INSTANCES } from '../tokens.ts';
import type { Instances } from './instances.handler.ts';

@Controller()
export class HeartbeatConsumer {
  readonly #instances: Instances;

  constructor(@Inject(INSTANCES) instances: Instances) {
    this.#instances = instances;
  }

  @EventPattern(SdkAlive.type, { group: 'heartbeats' })
  onAlive(@Payload() alive: SdkAlive) {
    this.#instances.heard(alive);
  }
}
