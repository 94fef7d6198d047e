import type { Bus, BusReport, PartitionLag } from '@tidegate/bus';
import { messageOf } from '@tidegate/kernel';
import type { Logger } from 'pino';
import type { Metrics } from '../metrics/metrics.ts';
import type { SelfKnowledge } from '../pager/facts.handler.ts';
import { ownsGroup } from './dead-letter-body.ts';

export interface ReportOptions {
  readonly service: string;
  readonly bus: Bus;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly self: Pick<SelfKnowledge, 'report'>;
  /** Tells whoever is on call; resolves soon, also if it cannot. */
  readonly lastWords: (title: string, text: string) => Promise<void>;
  /** Ends the process: the supervisor starts it again, and the bus then takes messages one at a time. */
  readonly endProcess: (reason: string) => void;
}

/** Logs and counts what the bus reports of this service's groups, and ends a process that is stuck. */
export function watchBus(options: ReportOptions): void {
  options.bus.onReport((report) => {
    const group = groupOf(report);
    if (group === undefined || ownsGroup(options.service, group)) note(options, report);
  });
}

/** Views and topics have no group: what is said of them concerns everybody. */
function groupOf(report: BusReport): string | undefined {
  if (report.kind === 'passed-over' || report.kind === 'topic-differs') return undefined;
  return report.kind === 'dead-lettered' ? report.letter.group : report.group;
}

function note(options: ReportOptions, report: BusReport): void {
  const { log, metrics, self } = options;
  self.report(report);
  switch (report.kind) {
    case 'dead-lettered': {
      const { id, group, origin, code, reason, message, attempts } = report.letter;
      metrics.deadLetters.inc({ group, topic: origin.topic, reason });
      log.error(
        { letter: id, group, topic: origin.topic, code, reason, why: message, attempts },
        'a message was given up and waits in the dead letters',
      );
      return;
    }
    case 'lagging':
      log.error(
        { group: report.group, topic: report.topic, why: report.message },
        'a consumer lags',
      );
      return;
    case 'passed-over':
      metrics.passedOver.inc({ code: report.code });
      log.warn(
        { topic: report.topic, code: report.code, why: report.message },
        'a view passed over a record that it cannot read',
      );
      return;
    case 'topic-differs':
      log.warn(
        { topic: report.topic, difference: report.message },
        'a topic has other settings than the catalogue, and keeps them',
      );
      return;
    case 'unknown-type':
      metrics.unknownTypes.inc({ group: report.group });
      log.warn({ group: report.group, type: report.type }, 'a message type is not known here');
      return;
    case 'stuck':
      metrics.stuck.set({ group: report.group, topic: report.topic }, 1);
      void endIfStuck(options, report);
  }
}

/** A broker that is away restarts nothing: only if it answers, and there is lag, is it this process that hangs. */
async function endIfStuck(
  options: ReportOptions,
  { group, topic, message }: Extract<BusReport, { kind: 'stuck' }>,
): Promise<void> {
  const { bus, log } = options;
  const fields = { group, topic, why: message };
  let lag: readonly PartitionLag[];
  try {
    await bus.check();
    lag = await bus.lag();
  } catch (error) {
    log.error({ ...fields, reason: messageOf(error) }, 'a handler seems stuck, but so is the bus');
    return;
  }
  if (lag.some((each) => each.group === group && each.topic === topic && each.records > 0)) {
    log.fatal(fields, 'a handler is stuck: the process ends');
    await end(options, `A handler of ${group} on ${topic} is stuck: ${message}`);
  } else log.warn(fields, 'a handler took too long');
}

async function end(
  { service, lastWords, endProcess }: ReportOptions,
  reason: string,
): Promise<void> {
  await lastWords(
    `${service} ends: a handler is stuck`,
    `${reason} The process ends, and whatever watches it has to start it again. The message is then taken by itself; when it has ended the process three times it is given up, and that is paged too. If the service does not come back, start it: nothing is lost.`,
  );
  endProcess(reason);
}
