import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import type { Message } from '@tidegate/contracts';
import { GUARD_RECORDS } from '../tokens.ts';
import { telling } from './done-in.ts';
import type { GuardRecords } from './guard-records.handler.ts';

@Controller()
export class GuardRecordConsumer {
  readonly #records: GuardRecords;

  constructor(@Inject(GUARD_RECORDS) records: GuardRecords) {
    this.#records = records;
  }

  @EventPattern(telling, { group: 'guard-records' })
  onEvent(@Payload() event: Message) {
    return this.#records.record(event);
  }
}
