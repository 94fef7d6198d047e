import {
  Controller,
  type DynamicModule,
  Get,
  Inject,
  Module,
  Post,
  Put,
  Req,
  Res,
} from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { EnvironmentChanged, name, PutEnvironment } from '@tidegate/contracts';
import { AppError, type Decider, reject, type Rejection } from '@tidegate/kernel';
import type { Aggregate, Outcome } from '@tidegate/store';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Caller } from './auth/access.ts';
import { Public, RequireRole, Who } from './auth/decorators.nest.ts';
import { answer } from './http/answer.http.ts';
import { commandFrom } from './http/command.ts';
import type { FastRoute } from './http/fast-route.ts';
import { ifMatch } from './http/etag.ts';
import { type Page, pageOf, type PageQuery, pageQuery } from './http/page.ts';
import { ApiAnswer, TextBody, ZodBody, ZodParam, ZodQuery } from './http/parameters.nest.ts';
import { LimitedAsEvaluation, LimitedAsHeartbeat, NeverLimited } from './limits/limits.nest.ts';
import { defineService, type ServiceContext } from './service.ts';
import { SERVICE_CONTEXT } from './tokens.ts';

/*
 * The least that is a whole service: for the specs of the platform. It keeps a description for each environment.
 */

interface Place {
  readonly description?: string | undefined;
}
type EnvironmentFact = { type: 'EnvironmentChanged'; data: { environment: string } & Place };

const decider: Decider<Place, PutEnvironment, EnvironmentFact> = {
  initial: {},
  decide: ({ data }, state) => {
    if (data.description === 'forbidden')
      return reject('PLACE_FORBIDDEN', 'No place may be described like that.');
    if (data.description === state.description) return [];
    return [{ type: EnvironmentChanged.type, data }];
  },
  evolve: (_, { data }) => ({ description: data.description }),
};

type PutPlace = (command: PutEnvironment) => Promise<Outcome<Place>>;
const PUT_PLACE = Symbol('put-place');
/** Specs open and close it, to see what happens while a request or a message is under way. */
export interface Gate {
  /** Called on entering; what it returns is awaited. */
  enter(what: string): Promise<void> | void;
}
const GATE = Symbol('gate');

const placeBody = z.object({
  description: z.string().max(100).optional().describe('What it is for.'),
  tags: z.array(z.string()).default([]),
});

@Controller('v1/environments/:env')
class PlaceController {
  readonly #context: ServiceContext;
  readonly #put: PutPlace;
  readonly #gate: Gate;

  constructor(
    @Inject(SERVICE_CONTEXT) context: ServiceContext,
    @Inject(PUT_PLACE) put: PutPlace,
    @Inject(GATE) gate: Gate,
  ) {
    this.#context = context;
    this.#put = put;
    this.#gate = gate;
  }

  @Put()
  @RequireRole('operator', { environment: 'env' })
  @ApiAnswer(200, placeBody)
  async put(
    @ZodParam('env', name) environment: string,
    @ZodBody(placeBody) { description }: z.output<typeof placeBody>,
    @Who() caller: Caller,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const expected = ifMatch(request, this.#context.store.epoch);
    const data = { environment, description };
    const outcome = await this.#put(
      commandFrom(this.#context, PutEnvironment, data, caller, request),
    );
    return answer(reply, outcome, { ...outcome.state, ...outcome.answer, expected });
  }

  @Get('read')
  @RequireRole('sdk', { environment: 'env' })
  read(@Who() { name: caller }: Caller): { caller: string } {
    return { caller };
  }

  @Post('alive')
  @LimitedAsHeartbeat()
  @RequireRole('sdk', { environment: 'env' })
  alive(): { heard: boolean } {
    return { heard: true };
  }

  @Post('evaluated')
  @LimitedAsEvaluation()
  @RequireRole('sdk', { environment: 'env' })
  evaluated(): { served: boolean } {
    return { served: true };
  }

  @Get('items')
  @RequireRole('viewer', { environment: 'env' })
  items(@ZodQuery(pageQuery) { limit, after = '' }: PageQuery): Page<string> {
    const found = ['a', 'b', 'c'].filter((item) => item > after).slice(0, limit + 1);
    return pageOf(found, limit, (item) => item);
  }

  @Get('slow')
  @Public()
  async slow(): Promise<{ done: boolean }> {
    await this.#gate.enter('request');
    return { done: true };
  }
}

@Controller('v1')
class OddController {
  readonly #context: ServiceContext;

  constructor(@Inject(SERVICE_CONTEXT) context: ServiceContext) {
    this.#context = context;
  }

  @Get('undeclared')
  undeclared(): string {
    return 'nobody sees this';
  }

  @Post('in-body')
  @RequireRole('operator', { environmentIn: 'body' })
  inBody(@ZodBody(z.object({ environment: name.optional() })) body: unknown): unknown {
    return body;
  }

  @Post('kill')
  @NeverLimited()
  @RequireRole('operator')
  kill(): { killed: boolean } {
    return { killed: true };
  }

  @Post('text')
  @RequireRole('admin', { everyEnvironment: true })
  text(@TextBody() text: string): { length: number } {
    return { length: text.length };
  }

  @Get('fails/:code')
  @Public()
  fails(@ZodParam('code', z.string()) code: string): never {
    if (code === 'TypeError') throw new TypeError('the secret inside');
    throw new AppError(code, 'the secret inside');
  }

  @Get('refuses/:code')
  @Public()
  refuses(@ZodParam('code', z.string()) code: string): Rejection {
    return reject(code, 'It is not to be.');
  }

  @Get('trace')
  @Public()
  trace(): { traceparent: string | undefined } {
    return { traceparent: this.#context.traceparent() };
  }

  @Get('stream')
  @Public()
  stream(@Res() reply: FastifyReply): void {
    reply.hijack();
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.raw.write(': a stream that never ends\n\n');
  }
}

@Controller()
class PlaceConsumer {
  readonly #put: PutPlace;
  readonly #gate: Gate;

  constructor(@Inject(PUT_PLACE) put: PutPlace, @Inject(GATE) gate: Gate) {
    this.#put = put;
    this.#gate = gate;
  }

  @EventPattern(PutEnvironment.type)
  async onPutEnvironment(@Payload() command: PutEnvironment): Promise<unknown> {
    await this.#gate.enter('message');
    if (command.data.description === 'poison') throw new TypeError('cannot be handled');
    return this.#put(command);
  }
}

@Module({})
class TinyModule {}

const Config = z.object({
  TINY_GREETING: z.string().default('hello').describe('What it says.'),
  TINY_LIMIT: z.coerce.number().int().positive().default(3).describe('How often.'),
});

const fastRoute: FastRoute = {
  path: '/v1/environments/{env}/fast/{key}',
  role: 'sdk',
  environment: { parameter: 'env' },
  summary: 'Says what it was asked.',
  body: placeBody,
  answer: ({ request: { body }, caller }) => {
    if (body === null) throw new AppError('BUS_UNREACHABLE', 'the secret inside');
    return JSON.stringify({ caller: caller.name, body });
  },
  unreadable: (_, why) => JSON.stringify({ why }),
};

function tinyModule(context: ServiceContext, gate: Gate): DynamicModule {
  const places = context.store.documents<Place>({
    name: 'places',
    schemaVersion: 1,
    index: () => ({}),
  });
  const aggregate: Aggregate<Place, PutEnvironment, EnvironmentFact> = {
    documents: places,
    decider,
  };
  const put: PutPlace = (command) => context.execute(aggregate, command.key, command);
  context.onStop(async () => gate.enter('stopped'));
  context.route(fastRoute);
  return {
    module: TinyModule,
    controllers: [PlaceController, OddController, PlaceConsumer],
    providers: [
      { provide: PUT_PLACE, useValue: put },
      { provide: GATE, useValue: gate },
    ],
  };
}

export const tinyService = (gate: Gate = { enter: () => undefined }) =>
  defineService({
    name: 'tiny-service',
    description: 'The least that is a whole service.',
    defaultPort: 7499,
    config: Config,
    statuses: { PLACE_TAKEN: 423 },
    module: (context) => tinyModule(context, gate),
  });
