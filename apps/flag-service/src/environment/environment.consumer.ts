import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { PutEnvironment } from '@tidegate/contracts';
import { ENVIRONMENTS } from '../tokens.ts';
import type { Environments } from './environments.handler.ts';

@Controller()
export class EnvironmentConsumer {
  readonly #environments: Environments;

  constructor(@Inject(ENVIRONMENTS) environments: Environments) {
    this.#environments = environments;
  }

  @EventPattern(PutEnvironment.type)
  onPut(@Payload() command: PutEnvironment) {
    return this.#environments.put(command);
  }
}
