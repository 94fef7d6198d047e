import { Controller, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Mode, Tidegate } from '@tidegate/sdk';
import {
  type HttpRequest,
  ModeGuard,
  type ModeMetrics,
  TidegateModule,
  type Violation,
} from '@tidegate/sdk/nest';
import { exposureMetrics, modeMetrics } from '@tidegate/sdk/prometheus';
import { memoryTidegate } from '@tidegate/sdk/testing';
import { Registry } from 'prom-client';
import type { Bench, Row } from './main.ts';

const REQUESTS = 20_000;
const AT_ONCE = 32;
/** What stage validation may take of a request at the 99th percentile, ms. */
const LIMIT_MS = 5;

/** A request of 50 stages, whose shares must add up to 1. */
const body = {
  stages: Array.from({ length: 50 }, (_, i) => ({ name: `Stage ${i}`, share: 0.02 })),
};

function violations({ body }: HttpRequest): readonly Violation[] {
  const { stages } = body as { stages: readonly { name: string; share: number }[] };
  const sum = stages.reduce((total, { share }) => total + share, 0);
  return [
    ...(Math.abs(1 - sum) <= 1e-6 ? [] : [{ pointer: '#/stages', detail: 'shares add up to 1' }]),
    ...stages.flatMap(({ name }, index) =>
      name === name.toLowerCase()
        ? []
        : [{ pointer: `#/stages/${index}/name`, detail: 'a name is in lower case' }],
    ),
  ];
}

class Stages {
  put(): string {
    return 'taken';
  }
}

/** Decorators are called here: Node runs this file as it is, and has none. */
async function application(client: Tidegate, metrics: ModeMetrics, register: Registry) {
  const method = Object.getOwnPropertyDescriptor(Stages.prototype, 'put')!;
  const guard = { validate: violations, deprecatedAt: new Date(0), metrics };
  ModeGuard('stage-validation-mode', guard)(Stages.prototype, 'put', method);
  Post(':id')(Stages.prototype, 'put', method);
  Controller('stages')(Stages);
  class App {}
  const observers = [exposureMetrics({ register })];
  Module({
    imports: [TidegateModule.forRoot({ client, requestContext: {}, observers })],
    controllers: [Stages],
  })(App);
  const options = { logger: false } as const;
  const app = await NestFactory.create<NestFastifyApplication>(App, new FastifyAdapter(), options);
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  return app;
}

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;

const bench: Bench = async (report: (row: Row) => void) => {
  const register = new Registry();
  const counted = modeMetrics({ register });
  let seconds: number[] = [];
  const client = memoryTidegate({ 'stage-validation-mode': 'off' });
  const metrics: ModeMetrics = {
    judged: (judgement) => {
      counted.judged(judgement);
      seconds.push(judgement.seconds);
    },
    deprecationSent: (endpoint) => {
      counted.deprecationSent(endpoint);
    },
  };
  const app = await application(client, metrics, register);
  const send = () => app.inject({ method: 'POST', url: '/stages/7', payload: body });
  for (const mode of ['off', 'warn', 'enforce'] satisfies Mode[]) {
    client.set('stage-validation-mode', mode);
    for (let sent = 0; sent < 2_000; sent += AT_ONCE)
      await Promise.all(Array.from({ length: AT_ONCE }, send));
    seconds = [];
    for (let sent = 0; sent < REQUESTS; sent += AT_ONCE)
      await Promise.all(Array.from({ length: AT_ONCE }, send));
    const sorted = seconds.toSorted((a, b) => a - b);
    const row = (name: string, subject: string, value: number): void => {
      report({ case: `${mode} ${name}`, subject, value: Number(value.toFixed(4)), unit: 'ms' });
    };
    row('p50', 'tidegate', percentile(sorted, 0.5) * 1_000);
    row('p99', 'tidegate', percentile(sorted, 0.99) * 1_000);
    row('p99', 'limit', LIMIT_MS);
  }
  await app.close();
};
export default bench;
