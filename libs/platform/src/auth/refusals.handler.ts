import type { Bus } from '@tidegate/bus';
import { SecurityEventRecorded } from '@tidegate/contracts';
import { type Clock, type Ids, isRejection, messageOf } from '@tidegate/kernel';
import type { FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { newMessage } from '../http/command.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { currentTraceparent } from '../telemetry/trace.ts';
import { boundedEvents, type SecurityEvent } from './security-events.ts';

interface RefusalOptions {
  readonly name: string;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly metrics: Metrics;
}

const RATE_LIMITED = 'RATE_LIMITED';
const BOUNDS = { everyMs: 60_000, atMost: 100 };

/** Counts refused requests and publishes them as audit events, so many a minute and no more. */
export function recordRefusals(
  options: RefusalOptions,
): (code: string, request: FastifyRequest) => void {
  const bounded = boundedEvents(BOUNDS);
  return (code, request) => {
    if (code !== RATE_LIMITED) options.metrics.authRefused.inc({ code });
    const { caller, method, ip: address } = request;
    const event = bounded(
      {
        code,
        method,
        route: request.routeOptions.url ?? 'unknown',
        address,
        ...(isRejection(caller) ? {} : { caller: caller.name }),
      },
      options.clock.now(),
    );
    if (event) void publish(options, event);
  };
}

function nameOf(code: string): string {
  if (code === RATE_LIMITED) return 'rate-limited';
  return code.startsWith('AUTH_KEY') ? 'auth-failed' : 'access-denied';
}

async function publish(
  { bus, log, ...ambient }: RefusalOptions,
  event: SecurityEvent,
): Promise<void> {
  log.warn({ ...event }, 'a request was refused for its key, role or environment, or its number');
  const message = newMessage(
    { ...ambient, traceparent: currentTraceparent },
    SecurityEventRecorded,
    {
      service: ambient.name,
      event: nameOf(event.code),
      message: `${event.method} ${event.route} was refused: ${event.code}.`,
      details: { ...event },
    },
  );
  try {
    await bus.publish([message]);
  } catch (error) {
    log.error({ ...event, reason: messageOf(error) }, 'a security event could not be published');
  }
}
