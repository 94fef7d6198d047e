import { Controller, Get, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import {
  CancelMigration,
  type Message,
  type MessageDefinition,
  PauseMigration,
  ResumeMigration,
  RunMigration,
} from '@tidegate/contracts';
import { reject, type Rejection } from '@tidegate/kernel';
import {
  answer,
  type Caller,
  commandFrom,
  pageOf,
  type PageQuery,
  pageQuery,
  RequireRole,
  SERVICE_CONTEXT,
  type ServiceContext,
  Who,
  ZodBody,
  ZodParam,
  ZodQuery,
} from '@tidegate/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { RUNS, WAITS, WAKE } from '../tokens.ts';
import type { Wait } from './advance.handler.ts';
import type { Runs } from './change-run.handler.ts';
import { runMarkdown } from '../report/run-markdown.ts';
import {
  because,
  newRevert,
  newRun,
  reportBody,
  reportQuery,
  runBody,
  runQuery,
} from './run-body.ts';

const id = z.string().min(1).max(200);
type Because = z.output<typeof because>;

@Controller('v1')
export class RunController {
  readonly #context: ServiceContext;
  readonly #runs: Runs;
  readonly #wake: () => void;
  readonly #waits: ReadonlyMap<string, Wait>;
  constructor(
    @Inject(SERVICE_CONTEXT) context: ServiceContext,
    @Inject(RUNS) runs: Runs,
    @Inject(WAKE) wake: () => void,
    @Inject(WAITS) waits: ReadonlyMap<string, Wait>,
  ) {
    this.#context = context;
    this.#runs = runs;
    this.#wake = wake;
    this.#waits = waits;
  }

  @Post('runs')
  @HttpCode(201)
  @RequireRole('operator', { everyEnvironment: true })
  start(
    @ZodBody(newRun) body: z.output<typeof newRun>,
    @Who() caller: Caller,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.#start(body, caller, request, reply);
  }

  @Get('runs')
  @RequireRole('viewer')
  async runs(
    @ZodQuery(pageQuery.extend(runQuery.shape)) query: PageQuery & z.output<typeof runQuery>,
  ) {
    const { after, limit, status, migration } = query;
    const where = { ...(status ? { status } : {}), ...(migration ? { migration } : {}) };
    const documents = await this.#runs.documents.list({
      where,
      after,
      limit: limit + 1,
    });
    const { items, ...rest } = pageOf(documents, limit, ({ id: run }) => run);
    return { items: items.flatMap((document) => this.#shown(document) ?? []), ...rest };
  }

  @Get('runs/:id')
  @RequireRole('viewer')
  async one(@ZodParam('id', id) run: string) {
    const document = await this.#runs.documents.load(run);
    return (document && this.#shown(document)) ?? unknown(run);
  }

  /** JSON, or Markdown for people: `?format=markdown`, or `Accept: text/markdown`. */
  @Get('runs/:id/report')
  @RequireRole('viewer')
  async report(
    @ZodParam('id', id) run: string,
    @ZodQuery(reportQuery) { format }: z.output<typeof reportQuery>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const document = await this.#runs.documents.load(run);
    if (!document || document.state.status === 'absent') return unknown(run);
    const { state } = document;
    if (!('endedAt' in state))
      return reject(
        'RUN_NOT_ENDED',
        `${run} is ${state.status}: its report comes when it has ended.`,
      );
    const isText =
      format === undefined && request.headers.accept?.includes('text/markdown') === true;
    if (format !== 'markdown' && !isText) return reportBody(document);
    reply.header('content-type', 'text/markdown; charset=utf-8');
    return runMarkdown(run, state);
  }

  @Post('runs/:id/pause')
  @HttpCode(200)
  @RequireRole('operator', { everyEnvironment: true })
  pause(
    @ZodParam('id', id) run: string,
    @ZodBody(because) body: Because,
    @Who() caller: Caller,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.#byPerson(PauseMigration, { run, ...body }, caller, request, reply);
  }

  @Post('runs/:id/resume')
  @HttpCode(200)
  @RequireRole('operator', { everyEnvironment: true })
  resume(
    @ZodParam('id', id) run: string,
    @ZodBody(because) body: Because,
    @Who() caller: Caller,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.#byPerson(ResumeMigration, { run, ...body }, caller, request, reply);
  }

  @Post('runs/:id/cancel')
  @HttpCode(200)
  @RequireRole('operator', { everyEnvironment: true })
  cancel(
    @ZodParam('id', id) run: string,
    @ZodBody(because) body: Because,
    @Who() caller: Caller,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.#byPerson(CancelMigration, { run, ...body }, caller, request, reply);
  }

  /** A run of its own, which undoes what the migration of this one has changed: also in its other runs. */
  @Post('runs/:id/revert')
  @HttpCode(201)
  @RequireRole('operator', { everyEnvironment: true })
  async revert(
    @ZodParam('id', id) run: string,
    @ZodBody(newRevert) body: z.output<typeof newRevert>,
    @Who() caller: Caller,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const state = (await this.#runs.documents.load(run))?.state;
    if (!state || state.status === 'absent') return unknown(run);
    const { migration, action } = state.work;
    if (action !== 'execute')
      return reject('RUN_NOT_REVERTIBLE', `${run} is a ${action}: only an execute is reverted.`);
    return this.#start({ migration, action: 'revert', ...body }, caller, request, reply);
  }

  #start(
    body: z.output<typeof newRun>,
    caller: Caller,
    request: FastifyRequest,
    reply: FastifyReply,
  ) {
    const data = { run: '', ...body };
    const command = commandFrom(this.#context, RunMigration, data, caller, request);
    // A repeated request (same Idempotency-Key, hence same message id) must name the same run.
    const run = `m-${command.metadata.id}`;
    return this.#change({ ...command, key: run, data: { ...data, run } }, reply);
  }

  #byPerson(
    definition: typeof PauseMigration | typeof ResumeMigration | typeof CancelMigration,
    data: Because & { run: string },
    caller: Caller,
    request: FastifyRequest,
    reply: FastifyReply,
  ) {
    const command = commandFrom(
      this.#context,
      definition as MessageDefinition,
      data,
      caller,
      request,
    );
    return this.#change(command, reply);
  }

  async #change(command: Message, reply: FastifyReply) {
    const outcome = await this.#runs.change(command as Parameters<Runs['change']>[0]);
    this.#wake();
    return answer(reply, outcome, {
      ...this.#shown({ id: command.key, state: outcome.state }),
      published: outcome.published,
    });
  }

  #shown(document: Parameters<typeof runBody>[0]) {
    return runBody(document, this.#waits.get(document.id));
  }
}

const unknown = (run: string): Rejection => reject('RUN_UNKNOWN', `There is no run ${run}.`);
