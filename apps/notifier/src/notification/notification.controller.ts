import { Controller, Get, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { AcknowledgeNotification } from '@tidegate/contracts';
import { reject, type Rejection } from '@tidegate/kernel';
import {
  answer,
  type Caller,
  commandFrom,
  mayUse,
  pageOf,
  type PageQuery,
  pageQuery,
  requireEnvironment,
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
import { type Route, routesFor } from '../route/route.ts';
import { NOTIFY, ROUTES } from '../tokens.ts';
import {
  acknowledgement,
  notificationBody,
  notificationQuery,
  previewBody,
} from './notification-body.ts';
import type { Notification } from './notification.ts';
import type { Notify } from './notify.handler.ts';

const id = z.string().min(1).max(200);

@Controller('v1')
export class NotificationController {
  readonly #context: ServiceContext;
  readonly #notify: Notify;
  readonly #routes: readonly Route[];
  constructor(
    @Inject(SERVICE_CONTEXT) context: ServiceContext,
    @Inject(NOTIFY) notify: Notify,
    @Inject(ROUTES) routes: readonly Route[],
  ) {
    this.#context = context;
    this.#notify = notify;
    this.#routes = routes;
  }

  @Get('notifications')
  @RequireRole('viewer')
  async list(
    @ZodQuery(pageQuery.extend(notificationQuery.shape))
    query: PageQuery & z.output<typeof notificationQuery>,
    @Who() caller: Caller,
  ) {
    const { after, limit, ...where } = query;
    const found = await this.#notify.documents.list({ where, after, limit: limit + 1 });
    const { items, ...rest } = pageOf(found, limit, ({ id: notification }) => notification);
    const visible = items.filter((document) => {
      const environment = environmentOf(document.state);
      return environment === undefined || mayUse(caller, environment);
    });
    return { items: visible.flatMap((document) => notificationBody(document) ?? []), ...rest };
  }

  @Get('notifications/:id')
  @RequireRole('viewer')
  async one(@ZodParam('id', id) notification: string, @Who() caller: Caller) {
    return (await this.#found(notification, caller)) ?? unknown(notification);
  }

  @Post('notifications/:id/acknowledge')
  @HttpCode(200)
  @RequireRole('operator')
  async acknowledge(
    @ZodParam('id', id) notification: string,
    @ZodBody(acknowledgement) body: z.output<typeof acknowledgement>,
    @Who() caller: Caller,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    if (!(await this.#found(notification, caller))) return unknown(notification);
    const data = { notification, ...body };
    const command = commandFrom(this.#context, AcknowledgeNotification, data, caller, request);
    const outcome = await this.#notify.acknowledge(command);
    return answer(reply, outcome, notificationBody({ id: notification, state: outcome.state }));
  }

  @Post('notifications/:id/send-again')
  @HttpCode(200)
  @RequireRole('operator')
  async sendAgain(
    @ZodParam('id', id) notification: string,
    @Who() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    if (!(await this.#found(notification, caller))) return unknown(notification);
    const outcome = await this.#notify.sendAgain(notification, caller.name);
    return answer(reply, outcome, notificationBody({ id: notification, state: outcome.state }));
  }

  @Get('routes')
  @RequireRole('viewer')
  routes() {
    return { items: this.#routes };
  }

  @Post('routes/preview')
  @HttpCode(200)
  @RequireRole('viewer')
  preview(@ZodBody(previewBody) { labels }: z.output<typeof previewBody>) {
    return { items: routesFor(this.#routes, labels) };
  }
  /** Thrown AUTH_ENVIRONMENT_FORBIDDEN when it is about an environment that the key is not for. */
  async #found(notification: string, caller: Caller) {
    const document = await this.#notify.documents.load(notification);
    const environment = document && environmentOf(document.state);
    if (environment !== undefined) requireEnvironment(caller, environment);
    return document && notificationBody(document);
  }
}

/** Undefined: it is about none, e.g. a migration. */
const environmentOf = (state: Notification): string | undefined =>
  'told' in state ? state.told.alert.labels['environment'] : undefined;

const unknown = (notification: string): Rejection =>
  reject('NOTIFICATION_UNKNOWN', `There is no notification ${notification}.`);
