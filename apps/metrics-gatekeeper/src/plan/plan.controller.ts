import { Controller, Get, HttpCode, Inject, Put, Res } from '@nestjs/common';
import { name, type PlanProblem, stepKind, stepName } from '@tidegate/contracts';
import { isRejection, reject, type Rejection } from '@tidegate/kernel';
import {
  answer,
  type Caller,
  type Page,
  pageOf,
  type PageQuery,
  pageQuery,
  type Problem,
  RequireRole,
  TextBody,
  Who,
  ZodParam,
  ZodQuery,
} from '@tidegate/platform';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { pinRisk } from '@tidegate/gates';
import { PLANS } from '../tokens.ts';
import type { FoundVersion, Plans } from './plans.handler.ts';
import { newestOf } from './stored-plan.ts';

const putQuery = z.object({ dryRun: z.stringbool().default(false) });
const versionNumber = z.coerce.number().int().min(1);

/** RFC 9457, with the place of each problem in the text. */
type PlanInvalid = Omit<Problem, 'errors'> & {
  readonly errors: readonly (PlanProblem & { readonly detail: string })[];
};

@Controller('v1/plans')
export class PlanController {
  readonly #plans: Plans;

  constructor(@Inject(PLANS) plans: Plans) {
    this.#plans = plans;
  }

  @Get()
  @RequireRole('viewer')
  async list(@ZodQuery(pageQuery) { after, limit }: PageQuery): Promise<Page<FoundVersion>> {
    const found = await this.#plans.list({ after, limit: limit + 1 });
    return pageOf(found, limit, ({ plan }) => plan);
  }

  /** Makes a new version (201), or finds that the newest has this very text (200). `?dryRun=true` only validates. */
  @Put(':name')
  @HttpCode(200)
  @RequireRole('operator', { everyEnvironment: true })
  async put(
    @ZodParam('name', name) plan: string,
    @ZodQuery(putQuery) { dryRun }: z.output<typeof putQuery>,
    @TextBody() text: string,
    @Who() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const read = this.#plans.read(plan, text);
    if ('problems' in read) return invalid(reply, read.problems);
    const { flag, steps } = read.plan;
    const summary = {
      plan,
      flag,
      steps: steps.map((step) => ({ name: stepName(step), kind: stepKind(step) })),
      ...pinRisk(read.plan),
    };
    if (dryRun) return { ...summary, valid: true };
    const by = { source: `http:${caller.name}`, actor: caller.name };
    const outcome = await this.#plans.put(plan, text, by);
    const changed = outcome.answer.outcome === 'changed';
    const { text: _text, ...newest } = newestOf(outcome.state) ?? {};
    if (changed) reply.status(201);
    return answer(reply, outcome, { ...summary, ...newest, changed, published: outcome.published });
  }

  /** The newest version, with its text. */
  @Get(':name')
  @RequireRole('viewer')
  newest(@ZodParam('name', name) plan: string): Promise<FoundVersion | Rejection> {
    return this.#plans.find(plan);
  }

  @Get(':name/versions')
  @RequireRole('viewer')
  async versions(
    @ZodParam('name', name) plan: string,
  ): Promise<{ items: readonly FoundVersion[] } | Rejection> {
    const items = await this.#plans.versions(plan);
    return isRejection(items) ? items : { items };
  }

  @Get(':name/versions/:version')
  @RequireRole('viewer')
  async version(
    @ZodParam('name', name) plan: string,
    @ZodParam('version', versionNumber) version: number,
  ): Promise<FoundVersion | Rejection> {
    const found = await this.#plans.find(plan, version);
    if (isRejection(found) || found.text !== undefined) return found;
    return reject(
      'PLAN_TEXT_GONE',
      `The text of version ${version} is no longer kept here; the audit log has it.`,
    );
  }
}

function invalid(reply: FastifyReply, problems: readonly PlanProblem[]): PlanInvalid {
  reply.status(422).header('content-type', 'application/problem+json; charset=utf-8');
  const code = 'PLAN_INVALID';
  const [first] = problems;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  return {
    type: `urn:tidegate:problem:${code}`,
    title: 'Plan invalid',
    status: 422,
    code,
    detail: first
      ? `line ${first.line}: ${first.path === '' ? '' : `${first.path}: `}${first.message}${more}`
      : 'not a plan',
    errors: problems.map((problem) => ({ ...problem, detail: problem.message })),
  };
}
