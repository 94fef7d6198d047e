import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import type { Message } from '@tidegate/contracts';
import { toldTypes } from '../alert/alert.ts';
import { NOTIFY } from '../tokens.ts';
import type { Notify } from './notify.handler.ts';

@Controller()
export class NotificationConsumer {
  readonly #notify: Notify;
  constructor(@Inject(NOTIFY) notify: Notify) {
    this.#notify = notify;
  }

  @EventPattern([...toldTypes])
  onMessage(@Payload() message: Message) {
    return this.#notify.tell(message);
  }
}
