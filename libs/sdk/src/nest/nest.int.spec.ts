import type { INestApplication } from '@nestjs/common';
import {
  Body,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  HttpCode,
  Inject,
  Injectable,
  Param,
  Post,
  Query,
  Res,
  UseGuards,
} from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { Registry } from 'prom-client';
import type { DualRead } from '../dual-read/dual-read.port.ts';
import { dualReadMetrics } from '../prometheus/dual-read-metrics.prometheus.ts';
import { exposureMetrics } from '../prometheus/exposure-metrics.prometheus.ts';
import { modeMetrics } from '../prometheus/mode-metrics.prometheus.ts';
import { type FlagValue, type MemoryTidegate, memoryTidegate } from '../testing/tidegate.memory.ts';
import type { Mode, Tidegate } from '../tidegate.port.ts';
import { provideDualRead } from './dual-read.nest.ts';
import { FeatureGate } from './feature-gate.nest.ts';
import type { HttpRequest } from './http-request.ts';
import { InjectFlags, TIDEGATE } from './inject.ts';
import { ModeGuard, type Violation } from './mode-guard.nest.ts';
import { TidegateModule, type TidegateModuleOptions } from './tidegate.module.ts';

const closing: INestApplication[] = [];
afterEach(async () => {
  for (const app of closing.splice(0)) await app.close();
});

interface WithUser extends HttpRequest {
  user?: string;
}

/** Authentication as applications have it: who asks is known only after it. */
@Injectable()
class UserGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<WithUser>();
    request.user = String(request.headers['x-user'] ?? '');
    return true;
  }
}

const stages = (request: HttpRequest): readonly Violation[] => {
  const { body } = request as { body?: { stages?: readonly number[]; bug?: boolean } };
  if (body?.bug) throw new TypeError('stages is not iterable');
  return (body?.stages ?? [])
    .map((stage, index) => ({ stage, pointer: `#/stages/${index}` }))
    .filter(({ stage }) => stage > 1)
    .map(({ pointer }) => ({ pointer, detail: 'a stage is at most 1' }));
};
const stagesSoon = async (request: HttpRequest): Promise<readonly Violation[]> => {
  await new Promise(setImmediate);
  return stages(request);
};
const deprecatedAt = new Date('2026-01-01T00:00:00Z');
const sunset = new Date('2027-01-01T00:00:00Z');

@Controller('orders')
@UseGuards(UserGuard)
class Orders {
  readonly #flags: Tidegate;

  constructor(@InjectFlags() flags: Tidegate) {
    this.#flags = flags;
  }

  @Get(':id/context')
  async context(): Promise<object> {
    await new Promise(setImmediate);
    return this.#flags.object('who', {});
  }

  @Post(':id/context')
  @HttpCode(200)
  contextOfPost(@Body() body: object): object {
    return { ...this.#flags.object('who', {}), ...body };
  }

  @Get('new')
  @FeatureGate('new-orders')
  onlyNew(): string {
    return 'new';
  }

  @Get('priced')
  @FeatureGate('pricing', { value: 'v2' })
  priced(): string {
    return 'v2';
  }

  @FeatureGate('new-orders', { otherwise: 'oldList' })
  @Get('list/:id')
  @HttpCode(202)
  newList(@Param('id') id: string, @Query('page') page: string): string {
    return `new ${id} ${page} ${this.constructor.name}`;
  }

  @Get('below/:id')
  @FeatureGate('new-orders', { otherwise: 'oldList' })
  below(@Param('id') id: string, @Query('page') page: string): string {
    return `below ${id} ${page}`;
  }

  oldList(id: string, page: string): string {
    return `old ${id} ${page} ${this.constructor.name}`;
  }
}

@Controller('gated')
@FeatureGate('new-orders')
class Gated {
  @Get()
  gated(): string {
    return 'gated';
  }
}

@Controller('stages')
class Stages {
  @Post(':id')
  @ModeGuard('stage-validation-mode', {
    validate: stages,
    deprecatedAt,
    sunset,
    link: 'https://example.com/stages',
  })
  put(): string {
    return 'taken';
  }
}

/** Sends its answer past the framework, as streams do. */
@Controller('raw')
class Raw {
  @Post()
  @ModeGuard('stage-validation-mode', { validate: stagesSoon, deprecatedAt })
  put(@Res() reply: RawReply): void {
    reply.hijack?.();
    (reply.raw ?? reply).end('raw');
  }
}
interface RawReply {
  hijack?(): void;
  readonly raw?: RawReply;
  end(text: string): void;
}

describe.each([
  ['Fastify', () => new FastifyAdapter()],
  ['Express', () => new ExpressAdapter()],
])('in Nest on %s', (_name, adapter) => {
  async function started(
    flags: MemoryTidegate,
    options: Omit<TidegateModuleOptions, 'client'> = {},
  ) {
    const module = await Test.createTestingModule({
      imports: [TidegateModule.forRoot({ client: flags, ...options })],
      controllers: [Orders, Gated, Stages, Raw],
    }).compile();
    const app = module.createNestApplication(adapter());
    app.setGlobalPrefix('api');
    await app.listen(0, '127.0.0.1');
    closing.push(app);
    const url = await app.getUrl();
    return async (path: string, init: { user?: string; body?: unknown } = {}) => {
      const response = await fetch(`${url}/api${path}`, {
        ...(init.body === undefined ? {} : { method: 'POST', body: JSON.stringify(init.body) }),
        headers: { 'x-user': init.user ?? '', 'content-type': 'application/json' },
      });
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.includes('json');
      const body: unknown = isJson ? JSON.parse(text) : text;
      return { status: response.status, headers: response.headers, body };
    };
  }

  describe('the context of a request', () => {
    const who: Record<string, FlagValue> = { who: (context) => ({ ...context }) };
    const requestContext: TidegateModuleOptions['requestContext'] = {
      targetingKey: ({ user }: WithUser) => user,
      attributes: ({ headers }) => ({ agent: headers['user-agent'] }),
    };

    it('is there without being given: who asks, route pattern, method', async () => {
      const ask = await started(memoryTidegate(who), { requestContext });
      expect((await ask('/orders/7/context', { user: 'ann' })).body).toEqual({
        targetingKey: 'ann',
        endpoint: '/api/orders/:id/context',
        method: 'GET',
        agent: 'node',
      });
      const posted = await ask('/orders/7/context', { user: 'bob', body: { page: 2 } });
      expect(posted.body).toMatchObject({ targetingKey: 'bob', method: 'POST', page: 2 });
    });

    it('of one request is not that of another beside it', async () => {
      const ask = await started(memoryTidegate(who), { requestContext });
      const users = Array.from({ length: 20 }, (_, i) => `user-${i}`);
      const answers = await Promise.all(users.map((user) => ask('/orders/7/context', { user })));
      expect(answers.map(({ body }) => (body as { targetingKey: string }).targetingKey)).toEqual(
        users,
      );
    });

    it('is not there where nobody asked for it, and a failing one is reported', async () => {
      const plain = await started(memoryTidegate(who));
      expect((await plain('/orders/7/context')).body).toEqual({});
      const errors: string[] = [];
      const ask = await started(memoryTidegate(who), {
        requestContext: {
          targetingKey: () => {
            throw new Error('no session');
          },
        },
        onError: ({ message }) => void errors.push(message),
      });
      expect((await ask('/orders/7/context')).body).toEqual({
        endpoint: '/api/orders/:id/context',
        method: 'GET',
      });
      expect(errors).toContain('requestContext failed: no session');
    });
  });

  describe('a feature gate', () => {
    it('lets through whom the flag opens it to; to others there is no such route', async () => {
      const flags = memoryTidegate({ 'new-orders': ({ targetingKey }) => targetingKey === 'ann' });
      const ask = await started(flags, {
        requestContext: { targetingKey: ({ user }: WithUser) => user },
      });
      expect((await ask('/orders/new', { user: 'ann' })).body).toBe('new');
      const shut = await ask('/orders/new', { user: 'bob' });
      expect(shut.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
      expect(shut).toMatchObject({
        status: 404,
        body: { type: 'about:blank', title: 'Not Found', status: 404, code: 'ROUTE_UNKNOWN' },
      });
      expect((await ask('/gated', { user: 'ann' })).status).toBe(404);
      flags.set('new-orders', true);
      expect((await ask('/gated')).body).toBe('gated');
    });

    it('opens at the value it wants, and stays shut on errors', async () => {
      const flags = memoryTidegate({ pricing: 'v1' });
      const ask = await started(flags);
      expect((await ask('/orders/priced')).status).toBe(404);
      expect((await ask('/orders/new')).status).toBe(404); // there is no such flag
      flags.set('pricing', 'v2');
      expect((await ask('/orders/priced')).body).toBe('v2');
    });

    it('has another method serve while it is shut, with the same arguments, wherever it stands', async () => {
      const flags = memoryTidegate({ 'new-orders': false });
      const ask = await started(flags);
      const list = await ask('/orders/list/7?page=2');
      expect(list).toMatchObject({ status: 202, body: 'old 7 2 Orders' });
      expect((await ask('/orders/below/7?page=2')).body).toBe('old 7 2 Orders');
      flags.set('new-orders', true);
      expect((await ask('/orders/list/7?page=2')).body).toBe('new 7 2 Orders');
      expect((await ask('/orders/below/7?page=2')).body).toBe('below 7 2');
    });
  });

  describe('a mode guard', () => {
    async function guarded(mode: Mode | ((endpoint: unknown) => Mode)) {
      const register = new Registry();
      const errors: string[] = [];
      const ask = await started(
        memoryTidegate({
          'stage-validation-mode':
            typeof mode === 'function' ? ({ endpoint }) => mode(endpoint) : mode,
        }),
        {
          modeMetrics: modeMetrics({ register, prefix: 'checkout_' }),
          onError: ({ code, message }) => void errors.push(`${code} ${message}`),
        },
      );
      const metric = async (name: string, labels: string) => {
        const line = new RegExp(`^checkout_${name}\\{${labels}\\} (.*)$`, 'm');
        return line.exec(await register.metrics())?.[1];
      };
      return { ask, errors, metric };
    }
    const endpoint = 'endpoint="/api/stages/:id"';
    const requests = 'stage_validation_requests_total';
    const bad = { body: { stages: [1, 2, 3] } };

    it('that is off looks at nothing', async () => {
      const { ask, metric } = await guarded('off');
      const { status, headers } = await ask('/stages/7', { body: { bug: true } });
      expect(status).toBe(201);
      expect(headers.has('x-stage-validation')).toBe(false);
      expect(await metric(requests, `mode="off",${endpoint},outcome="not-validated"`)).toBe('1');
    });

    it('that warns rejects nothing, tells what is deprecated, and counts', async () => {
      const { ask, metric } = await guarded('warn');
      const warned = await ask('/stages/7', bad);
      expect(warned).toMatchObject({ status: 201, body: 'taken' });
      expect(Object.fromEntries(warned.headers)).toMatchObject({
        deprecation: '@1767225600',
        sunset: 'Fri, 01 Jan 2027 00:00:00 GMT',
        link: '<https://example.com/stages>; rel="deprecation"',
        'x-stage-validation': 'warn',
        'x-stage-violations': '2',
      });
      const good = await ask('/stages/8', { body: { stages: [0.5] } });
      expect(good.headers.get('x-stage-violations')).toBe('0');
      expect(good.headers.has('deprecation')).toBe(false);
      expect(await metric(requests, `mode="warn",${endpoint},outcome="violations"`)).toBe('1');
      expect(await metric(requests, `mode="warn",${endpoint},outcome="valid"`)).toBe('1');
      const violations = `mode="warn",${endpoint},bucket=`;
      expect(await metric('stage_validation_violations_total', `${violations}"2-5"`)).toBe('1');
      expect(await metric('stage_validation_violations_total', `${violations}"11\\+"`)).toBe('0');
      const sent = () => metric('stage_deprecation_headers_total', endpoint);
      await eventually(async () => (await sent()) === '1');
      const duration = 'stage_validation_duration_seconds_count';
      expect(await metric(duration, `mode="warn",${endpoint}`)).toBe('2');
    });

    it('may take its time, and its headers go out with whatever answers', async () => {
      const { ask, metric } = await guarded('warn');
      const raw = await ask('/raw', bad);
      expect(raw).toMatchObject({ status: 201, body: 'raw' });
      expect(raw.headers.get('deprecation')).toBe('@1767225600');
      const sent = () => metric('stage_deprecation_headers_total', 'endpoint="/api/raw"');
      await eventually(async () => (await sent()) === '1');
    });

    it('that enforces refuses with the violations by name', async () => {
      const { ask, metric } = await guarded('enforce');
      const refused = await ask('/stages/7', bad);
      expect(refused.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
      expect(refused).toMatchObject({
        status: 422,
        body: {
          status: 422,
          code: 'STAGE_VALIDATION_FAILED',
          detail: 'The request violates 2 rules: a stage is at most 1',
          errors: [
            { pointer: '#/stages/1', detail: 'a stage is at most 1' },
            { pointer: '#/stages/2', detail: 'a stage is at most 1' },
          ],
        },
      });
      expect((await ask('/stages/7', { body: { stages: [1] } })).status).toBe(201);
      expect(await metric(requests, `mode="enforce",${endpoint},outcome="rejected"`)).toBe('1');
      expect(await metric('stage_deprecation_headers_total', endpoint)).toBe('0');
    });

    it('asks for the mode of the endpoint', async () => {
      const { ask } = await guarded((asked) => (asked === '/api/stages/:id' ? 'enforce' : 'off'));
      expect((await ask('/stages/7', bad)).status).toBe(422);
    });

    it.each(['warn', 'enforce'] as const)(
      'whose validator fails in %s lets the request pass, counts and reports it',
      async (mode) => {
        const { ask, errors, metric } = await guarded(mode);
        expect((await ask('/stages/7', { body: { bug: true } })).status).toBe(201);
        const outcome = `mode="${mode}",${endpoint},outcome="validator-failed"`;
        expect(await metric(requests, outcome)).toBe('1');
        expect(errors).toEqual([
          'SDK_VALIDATOR_FAILED The validator of stage-validation-mode failed, the request passed: stages is not iterable',
        ]);
      },
    );
  });

  it('closes its client with the application, and counts what is evaluated', async () => {
    const register = new Registry();
    const flags = memoryTidegate({ 'new-orders': true });
    const ask = await started(flags, { observers: [exposureMetrics({ register })] });
    await ask('/orders/new');
    expect(await register.metrics()).toContain(
      'tidegate_flag_evaluations_total{flag="new-orders",variant="set",reason="static"} 1',
    );
    await closing.splice(0).at(0)?.close();
    expect(flags.status.state).toBe('closed');
  });
});

it('provides a dual read that asks for the user of the request, with the metrics and reports of the module', async () => {
  const READ = Symbol('READ');
  const TABLE = Symbol('TABLE');
  @Controller('totals')
  class Totals {
    readonly #read: DualRead<[id: number], Promise<number>>;

    constructor(@Inject(READ) read: DualRead<[id: number], Promise<number>>) {
      this.#read = read;
    }

    @Get(':id')
    get(@Param('id') id: string): Promise<number> {
      return this.#read(Number(id));
    }
  }
  const register = new Registry();
  const errors: string[] = [];
  const mode: FlagValue = ({ targetingKey }) => (targetingKey === 'ann' ? 'new' : 'shadow');
  const module = await Test.createTestingModule({
    imports: [
      TidegateModule.forRoot({
        client: memoryTidegate({ 'totals-read': mode }),
        requestContext: { targetingKey: ({ headers }) => String(headers['x-user']) },
        dualReadMetrics: dualReadMetrics({ register, prefix: 'shop_' }),
        onError: ({ message }) => void errors.push(message),
      }),
    ],
    controllers: [Totals],
    providers: [
      { provide: TABLE, useValue: { 1: 11 } },
      provideDualRead(READ, {
        inject: [TABLE],
        useFactory: (table: Record<number, number>) => ({
          name: 'totals',
          flag: 'totals-read',
          old: (id: number) => Promise.resolve(id * 10),
          new: async (id: number) => {
            if (table[id] === undefined) throw new Error('no such total');
            return table[id];
          },
        }),
      }),
    ],
  }).compile();
  const app = module.createNestApplication(new FastifyAdapter());
  await app.listen(0, '127.0.0.1');
  closing.push(app);
  const ask = async (id: number, user: string) => {
    const response = await fetch(`${await app.getUrl()}/totals/${id}`, {
      headers: { 'x-user': user },
    });
    return response.text();
  };
  expect(await ask(1, 'ann')).toBe('11');
  expect(await ask(1, 'bob')).toBe('10');
  expect(await ask(2, 'bob')).toBe('20');
  await app.get<DualRead<[number], unknown>>(READ).settled();
  const text = await register.metrics();
  const compared = 'shop_dual_read_comparisons_total{read="totals",mode="shadow"';
  expect(text).toContain(`${compared},outcome="mismatch"} 1`);
  expect(text).toContain(`${compared},outcome="failed"} 1`);
  expect(text).toContain(`${compared},outcome="match"} 0`);
  expect(text).toContain(
    'shop_dual_reads_total{read="totals",mode="new",side="new",outcome="answered"} 1',
  );
  expect(text).toContain('shop_dual_read_duration_seconds_count{read="totals",side="new"} 4');
  expect(errors).toEqual(['Dual read totals: 2 was not compared: no such total.']);
});

it('gives the flags of a spec to an application that is made with others', async () => {
  const module = await Test.createTestingModule({
    imports: [
      TidegateModule.forRootAsync({
        useFactory: () => ({
          url: 'http://127.0.0.1:9',
          environment: 'production',
          key: 'k',
          requestContext: {},
        }),
      }),
    ],
    controllers: [Orders],
  })
    .overrideProvider(TIDEGATE)
    .useValue(memoryTidegate({ 'new-orders': true }))
    .compile();
  const app = module.createNestApplication(new FastifyAdapter());
  await app.init();
  closing.push(app);
  expect(app.get<Tidegate>(TIDEGATE).boolean('new-orders', false)).toBe(true);
});

it('names the method that should serve otherwise, and there is none', () => {
  expect(() => {
    class Broken {
      // @ts-expect-error there is no such method
      @FeatureGate('x', { otherwise: 'nowhere' })
      route(): void {}
    }
    return Broken;
  }).toThrow('FeatureGate of x: Broken has no method nowhere.');
});
