import { Controller, Get, HttpCode, Inject, Post } from '@nestjs/common';
import {
  AbortRollout,
  ApproveRollout,
  flagKey,
  type MessageDefinition,
  name,
  PauseRollout,
  PromoteRollout,
  ResumeRollout,
  roles,
  RollBack,
  type RolloutCommand,
  StartRollout,
} from '@tidegate/contracts';
import { isRejection, reject, type Rejection } from '@tidegate/kernel';
import {
  answer,
  Asked,
  type Caller,
  commandFrom,
  CommandRoute,
  type Exchange,
  mayUse,
  type Page,
  pageOf,
  pageQuery,
  refusalOf,
  requireEnvironment,
  NeverLimited,
  RequireRole,
  SERVICE_CONTEXT,
  type ServiceContext,
  Who,
  ZodBody,
  ZodParam,
  ZodQuery,
} from '@tidegate/platform';
import type { Outcome } from '@tidegate/store';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { ROLLOUT_QUERIES, ROLLOUTS } from '../tokens.ts';
import { approveBody, reasonBody, rolloutId, startBody } from './rollout-body.ts';
import type { RolloutBody, RolloutQueries } from './rollout-queries.handler.ts';
import { rolloutIdFor, type Rollouts } from './rollouts.handler.ts';
import { type Existing, type Rollout, statuses } from './state.ts';

/** Strict: a misspelt condition must not show everything. */
const listQuery = z.strictObject({
  ...pageQuery.shape,
  environment: name.optional(),
  plan: name.optional(),
  flag: flagKey.optional(),
  status: z.enum(statuses).optional(),
  /** Only those that are not over. */
  live: z.stringbool().optional(),
});

type Because = z.output<typeof reasonBody>;

@Controller('v1/rollouts')
export class RolloutController {
  readonly #context: ServiceContext;
  readonly #rollouts: Rollouts;
  readonly #queries: RolloutQueries;

  constructor(
    @Inject(SERVICE_CONTEXT) context: ServiceContext,
    @Inject(ROLLOUTS) rollouts: Rollouts,
    @Inject(ROLLOUT_QUERIES) queries: RolloutQueries,
  ) {
    this.#context = context;
    this.#rollouts = rollouts;
    this.#queries = queries;
  }

  @Get()
  @RequireRole('viewer')
  async list(
    @ZodQuery(listQuery) { after, limit, ...where }: z.output<typeof listQuery>,
    @Who() caller: Caller,
  ): Promise<Page<RolloutBody>> {
    const found = await this.#queries.list(where, { after, limit: limit + 1 });
    const page = pageOf(found, limit, ({ id }) => id);
    return { ...page, items: page.items.filter((each) => mayUse(caller, each.environment)) };
  }

  @Get(':id')
  @RequireRole('viewer')
  async find(@ZodParam('id', rolloutId) id: string, @Who() caller: Caller) {
    const found = await this.#queries.find(id);
    if (!isRejection(found)) requireEnvironment(caller, found.environment);
    return found;
  }

  /** 201 with the rollout's address. With `Idempotency-Key` the same request means the same rollout. */
  @Post()
  @HttpCode(201)
  @RequireRole('operator', { environmentIn: 'body' })
  async start(
    @ZodBody(startBody) body: z.output<typeof startBody>,
    @Asked() { caller, request, reply }: Exchange,
  ) {
    const data = { rollout: '', ...body };
    const made = commandFrom(this.#context, StartRollout, data, caller, request);
    const rollout = rolloutIdFor(made);
    const command = { ...made, key: rollout, data: { ...made.data, rollout } };
    const outcome = await this.#rollouts.start(command);
    if (isAnother(outcome, body))
      return reject(
        'IDEMPOTENCY_KEY_REUSED',
        `The same Idempotency-Key began rollout ${rollout} of another plan, version or environment.`,
      );
    if (!refusalOf(outcome)) reply.header('location', `/v1/rollouts/${rollout}`);
    return this.#answer(rollout, outcome, reply);
  }

  @CommandRoute(':id/approve', 'operator')
  async approve(
    @ZodParam('id', rolloutId) id: string,
    @ZodBody(approveBody) body: z.output<typeof approveBody>,
    @Asked() asked: Exchange,
  ) {
    const rollout = await this.#queries.load(id);
    if (isRejection(rollout)) return rollout;
    const step = body.step ?? waitingStep(rollout);
    if (step === undefined)
      return reject('ROLLOUT_NOT_WAITING', `Rollout ${id} waits for no approval.`);
    const refused = roleRefusal(rollout, step, asked.caller);
    if (refused) return refused;
    const because = body.reason === undefined ? {} : { reason: body.reason };
    const data = { rollout: id, step, ...because };
    return this.#change(ApproveRollout, data, asked);
  }

  @CommandRoute(':id/pause', 'operator')
  pause(
    @ZodParam('id', rolloutId) rollout: string,
    @ZodBody(reasonBody) { reason }: Because,
    @Asked() asked: Exchange,
  ) {
    return this.#change(PauseRollout, { rollout, reason }, asked);
  }

  @CommandRoute(':id/resume', 'operator')
  resume(
    @ZodParam('id', rolloutId) rollout: string,
    @ZodBody(reasonBody) { reason }: Because,
    @Asked() asked: Exchange,
  ) {
    return this.#change(ResumeRollout, { rollout, reason }, asked);
  }

  @CommandRoute(':id/promote', 'operator')
  promote(
    @ZodParam('id', rolloutId) rollout: string,
    @ZodBody(reasonBody) { reason }: Because,
    @Asked() asked: Exchange,
  ) {
    return this.#change(PromoteRollout, { rollout, reason }, asked);
  }

  @CommandRoute(':id/abort', 'operator')
  @NeverLimited()
  abort(
    @ZodParam('id', rolloutId) rollout: string,
    @ZodBody(reasonBody) { reason }: Because,
    @Asked() asked: Exchange,
  ) {
    return this.#change(AbortRollout, { rollout, reason }, asked);
  }

  @CommandRoute(':id/rollback', 'operator')
  @NeverLimited()
  rollBack(
    @ZodParam('id', rolloutId) rollout: string,
    @ZodBody(reasonBody) { reason }: Because,
    @Asked() asked: Exchange,
  ) {
    return this.#change(RollBack, { rollout, reason }, asked);
  }

  async #change<T extends string, S extends z.ZodType<{ rollout: string }>>(
    definition: MessageDefinition<T, S>,
    data: z.output<S>,
    { caller, request, reply }: Exchange,
  ): Promise<unknown> {
    const id = data.rollout;
    const rollout = await this.#queries.load(id);
    if (isRejection(rollout)) return rollout;
    requireEnvironment(caller, rollout.environment);
    const command = commandFrom(this.#context, definition, data, caller, request);
    type PersonCommand = Exclude<RolloutCommand, StartRollout>;
    const outcome = await this.#rollouts.change(command as unknown as PersonCommand);
    return this.#answer(id, outcome, reply);
  }

  async #answer(id: string, outcome: Outcome<Rollout>, reply: FastifyReply): Promise<unknown> {
    const refused = refusalOf(outcome);
    if (refused) return refused;
    const changed = outcome.answer.outcome === 'changed';
    const body = await this.#queries.find(id);
    if (isRejection(body)) return body;
    return answer(reply, outcome, { ...body, changed, published: outcome.published });
  }
}

/** A repeated request that asks for something else than the first one did. */
const isAnother = (
  { repeated, state }: Outcome<Rollout>,
  { plan, version, environment }: z.output<typeof startBody>,
): boolean =>
  repeated &&
  state.status !== 'absent' &&
  (state.plan.plan !== plan ||
    state.environment !== environment ||
    (version ?? state.version) !== state.version);

const waitingStep = ({ plan, position }: Existing): string | undefined => {
  const step = position?.phase === 'approval' ? plan.steps[position.index] : undefined;
  return step && 'approve' in step ? step.approve : undefined;
};

function roleRefusal(
  { plan }: Existing,
  step: string,
  { role, name }: Caller,
): Rejection | undefined {
  const asked = plan.steps.find((each) => 'approve' in each && each.approve === step);
  const needed = asked && 'approve' in asked ? asked.role : 'operator';
  if (roles.indexOf(role) >= roles.indexOf(needed)) return undefined;
  return reject(
    'APPROVAL_ROLE_TOO_LOW',
    `${step} must be approved by an ${needed}; ${name} has the role ${role}.`,
  );
}
