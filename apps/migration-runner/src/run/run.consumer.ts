import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import {
  CancelMigration,
  type MigrationCommand,
  PauseMigration,
  ResumeMigration,
  RunMigration,
} from '@tidegate/contracts';
import { RUNS, WAKE } from '../tokens.ts';
import type { Runs } from './change-run.handler.ts';

@Controller()
export class RunConsumer {
  readonly #runs: Runs;
  readonly #wake: () => void;
  constructor(@Inject(RUNS) runs: Runs, @Inject(WAKE) wake: () => void) {
    this.#runs = runs;
    this.#wake = wake;
  }

  @EventPattern(RunMigration.type)
  onRun(@Payload() command: RunMigration) {
    return this.#change(command);
  }

  @EventPattern(ResumeMigration.type)
  onResume(@Payload() command: ResumeMigration) {
    return this.#change(command);
  }

  @EventPattern(CancelMigration.type)
  onCancel(@Payload() command: CancelMigration) {
    return this.#change(command);
  }

  @EventPattern(PauseMigration.type)
  onPause(@Payload() command: PauseMigration) {
    return this.#change(command);
  }

  async #change(command: MigrationCommand) {
    const { answer } = await this.#runs.change(command);
    this.#wake();
    return answer;
  }
}
