import { Controller, Inject } from '@nestjs/common';
import { DisableFlag, name, PutFlag } from '@tidegate/contracts';
import { readFlagd } from '@tidegate/evaluation';
import type { Rejection } from '@tidegate/kernel';
import {
  Asked,
  commandFrom,
  CommandRoute,
  type Exchange,
  SERVICE_CONTEXT,
  type ServiceContext,
  ZodBody,
  ZodParam,
  ZodQuery,
} from '@tidegate/platform';
import { z } from 'zod';
import { environmentUnknown, type Environments } from '../environment/environments.handler.ts';
import { ENVIRONMENTS, IMPORT_FLAGS } from '../tokens.ts';
import type { ImportFlags } from './import-flags.handler.ts';
import { importReport, type ImportReport } from './import-report.ts';

const MAX_FLAGS = 1_000;

const importQuery = z.object({
  format: z.enum(['flagd'], 'expected format=flagd'),
  dryRun: z.stringbool().default(false),
});

/** A flagd flag configuration; how much of it can be expressed, the report says flag by flag. */
const flagdBody = z.looseObject({
  flags: z
    .record(z.string(), z.unknown())
    .refine(
      (flags) => Object.keys(flags).length <= MAX_FLAGS,
      `expected at most ${MAX_FLAGS} flags at once`,
    ),
});

@Controller('v1/environments/:env')
export class ImportController {
  readonly #context: ServiceContext;
  readonly #environments: Environments;
  readonly #importFlags: ImportFlags;

  constructor(
    @Inject(SERVICE_CONTEXT) context: ServiceContext,
    @Inject(ENVIRONMENTS) environments: Environments,
    @Inject(IMPORT_FLAGS) importFlags: ImportFlags,
  ) {
    this.#context = context;
    this.#environments = environments;
    this.#importFlags = importFlags;
  }

  /** Flags of another system, without moving a user. `?dryRun=true` only tells what would come of each. */
  @CommandRoute('import', 'operator', { environment: 'env' })
  async import(
    @ZodParam('env', name) environment: string,
    @ZodQuery(importQuery) { dryRun }: z.output<typeof importQuery>,
    @ZodBody(flagdBody) body: z.output<typeof flagdBody>,
    @Asked() { caller }: Exchange,
  ): Promise<ImportReport | Rejection> {
    if (!(await this.#environments.has(environment))) return environmentUnknown(environment);
    const { clock, ids } = this.#context;
    // Each command has an id of its own: a flag may get two of them.
    const asked = () => ({ headers: {}, commandId: ids.next() });
    const reports = await this.#importFlags({
      environment,
      dryRun,
      off: { at: clock.now(), by: caller.name },
      read: readFlagd(body),
      put: (data) =>
        commandFrom(this.#context, PutFlag, { ...data, salt: ids.next() }, caller, asked()),
      disable: (data) => commandFrom(this.#context, DisableFlag, data, caller, asked()),
    });
    return importReport(environment, dryRun, reports);
  }
}
