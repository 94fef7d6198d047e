import { Controller, Inject } from '@nestjs/common';
import {
  DisableFlag,
  EnableFlag,
  type Flag,
  flagKey,
  name,
  PutFlag,
  ReleaseFlag,
  RestoreFlag,
} from '@tidegate/contracts';
import { AppError, isRejection, reject } from '@tidegate/kernel';
import {
  Asked,
  commandFrom,
  CommandRoute,
  Describe,
  type Exchange,
  expectedVersion,
  ifMatch,
  NeverLimited,
  requireEnvironment,
  SERVICE_CONTEXT,
  type ServiceContext,
  ZodBody,
  ZodParam,
} from '@tidegate/platform';
import type { z } from 'zod';
import type { flagServiceErrorCodes } from '../errors.ts';
import type { History } from '../history/history.handler.ts';
import { COPY_FLAG, FLAG_QUERIES, HISTORY, WRITE_FLAG } from '../tokens.ts';
import type { CopyFlag } from './copy-flag.handler.ts';
import { copyBody, reasonBody, restoreBody } from './flag-body.ts';
import type { FlagQueries } from './flag-queries.handler.ts';
import { isLiving } from './stored-flag.ts';
import type { WriteFlag } from './write-flag.http.ts';

type Because = z.output<typeof reasonBody>;

/** What a person does to a flag, beside writing it. */
@Controller('v1/environments/:env/flags/:key')
export class FlagCommandsController {
  readonly #context: ServiceContext;
  readonly #flags: FlagQueries;
  readonly #history: History;
  readonly #copies: CopyFlag;
  readonly #write: WriteFlag;

  constructor(
    @Inject(SERVICE_CONTEXT) context: ServiceContext,
    @Inject(FLAG_QUERIES) flags: FlagQueries,
    @Inject(HISTORY) history: History,
    @Inject(COPY_FLAG) copies: CopyFlag,
    @Inject(WRITE_FLAG) write: WriteFlag,
  ) {
    this.#context = context;
    this.#flags = flags;
    this.#history = history;
    this.#copies = copies;
    this.#write = write;
  }

  @CommandRoute('disable', 'operator', { environment: 'env' })
  @Describe(
    'Turns a flag off, now',
    'The kill: whatever holds or expects, with the bus away, however often it is asked. If-Match does not count here. Takes back what was scheduled to enable it.',
  )
  @NeverLimited()
  disable(
    @ZodParam('env', name) environment: string,
    @ZodParam('key', flagKey) key: string,
    @ZodBody(reasonBody) { reason }: Because,
    @Asked() asked: Exchange,
  ) {
    return this.#write(DisableFlag, { environment, key, reason }, asked);
  }

  @CommandRoute('enable', 'operator', { environment: 'env' })
  @Describe('Lets a flag serve again', 'Refused while a rollout holds it.')
  enable(
    @ZodParam('env', name) environment: string,
    @ZodParam('key', flagKey) key: string,
    @ZodBody(reasonBody) { reason }: Because,
    @Asked() asked: Exchange,
  ) {
    const version = ifMatch(asked.request, this.#context.store.epoch);
    return this.#write(EnableFlag, { environment, key, reason, expectedVersion: version }, asked);
  }

  @CommandRoute('restore', 'operator', { environment: 'env' })
  @Describe(
    'Puts an earlier definition back',
    'As the history counts versions. What is disabled stays disabled; a flag that was deleted is made again with its salt, so that it reaches the same users, and off if it was off.',
  )
  async restore(
    @ZodParam('env', name) environment: string,
    @ZodParam('key', flagKey) key: string,
    @ZodBody(restoreBody) { version, reason }: z.output<typeof restoreBody>,
    @Asked() asked: Exchange,
  ) {
    const found = await this.#flags.find(environment, key);
    if (isRejection(found) && found.code !== 'FLAG_UNKNOWN') return found;
    const past = await this.#history.find(environment, key, version);
    if (!past?.after)
      return isRejection(found)
        ? found
        : reject('VERSION_UNKNOWN', `The history of ${key} has no flag at version ${version}.`);
    const { definition, salt } = past.after;
    const data = { environment, key, definition, reason };
    if (isRejection(found)) {
      const disabled = await this.#disabledWhenDeleted(environment, key);
      return this.#write(PutFlag, { ...data, salt, disabled, expectedVersion: 0 }, asked);
    }
    const expected = ifMatch(asked.request, this.#context.store.epoch);
    return this.#write(RestoreFlag, { ...data, expectedVersion: expected }, asked);
  }

  /** Only the deletion tells whether a kill came before it: an earlier change would turn a killed flag on. */
  async #disabledWhenDeleted(environment: string, key: string): Promise<Flag['disabled']> {
    const [last] = await this.#history.read(environment, key, { limit: 1 });
    if (
      last &&
      last.after === null &&
      last.version === (await this.#flags.deletedAt(environment, key))
    )
      return last.before?.disabled;
    throw new AppError<(typeof flagServiceErrorCodes)[number]>(
      'FLAG_HISTORY_BEHIND',
      `The history of ${key} in ${environment} does not tell yet whether it was off when it was deleted. Nothing was changed; try again.`,
      { retryable: true },
    );
  }

  @CommandRoute('copy', 'operator', { environment: 'env' })
  @Describe(
    'Copies a definition to another environment',
    'Answers what changes there; with `dryRun` only that. A flag that is new there gets the same salt, so that it reaches the same users. Whether it is disabled, held or scheduled is not copied. If-Match and If-None-Match are of the flag there.',
  )
  async copy(
    @ZodParam('env', name) environment: string,
    @ZodParam('key', flagKey) key: string,
    @ZodBody(copyBody) { to, dryRun, reason }: z.output<typeof copyBody>,
    @Asked() asked: Exchange,
  ) {
    requireEnvironment(asked.caller, to);
    const copy = await this.#copies.prepare(key, environment, to);
    if (isRejection(copy)) return copy;
    const { definition, salt, changes, there } = copy;
    const data = {
      environment: to,
      key,
      definition,
      salt,
      expectedVersion: expectedVersion(asked.request, this.#context.store.epoch),
      reason: `${reason} (copied from ${environment}, version ${copy.version})`.slice(0, 2_000),
    };
    const isNew = !there || !isLiving(there.state);
    if (dryRun) {
      const command = commandFrom(this.#context, PutFlag, data, asked.caller, asked.request);
      const refused = await this.#copies.rehearse(command, copy);
      const version = isNew ? 0 : there.version;
      return refused ?? { environment: to, key, dryRun, isNew, version, changes };
    }
    const written = await this.#write(PutFlag, data, asked);
    return isRejection(written) ? written : { ...written, isNew, changes };
  }

  @CommandRoute('release', 'admin', { environment: 'env' })
  @Describe('Frees a flag from the rollouts that hold it or rely on it')
  release(
    @ZodParam('env', name) environment: string,
    @ZodParam('key', flagKey) key: string,
    @ZodBody(reasonBody) { reason }: Because,
    @Asked() asked: Exchange,
  ) {
    return this.#write(ReleaseFlag, { environment, key, reason }, asked);
  }
}
