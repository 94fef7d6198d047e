import { formatDuration } from '@tidegate/kernel';
import { byHand, commandsByHand, list, nameOf, oldest, sentence, words } from './words.ts';
import type { GivenUp, Known, Lag } from './known.ts';
import type { Condition } from './page.ts';

/** The consumer of kills is a group of its own, see libs/bus. */
const isOfKills = (group: string): boolean => group.endsWith('.kills');

export const laggards = (known: Known, now: number): readonly Condition[] =>
  known.lags.filter((lag) => !isExplained(lag, known)).map((lag) => lags(lag, known, now));

/** Who cannot read because the bus is away, or cannot save because the store is, needs no page of its own; a kill does. */
const isExplained = ({ group }: Lag, { bus, store }: Known): boolean =>
  bus.awaySince !== undefined || (store.awaySince !== undefined && !isOfKills(group));

function lags({ group, topic, at, message }: Lag, known: Known, now: number): Condition {
  const isKill = isOfKills(group);
  const { service, bus, store, afterMs } = known;
  const backAt = Math.max(bus.backAt ?? 0, isKill ? 0 : (store.backAt ?? 0));
  return {
    name: `consumer-lags/${group}/${topic}`,
    severity: isKill ? 'critical' : 'warning',
    since: at,
    // After an outage everybody is behind for a moment.
    afterMs: backAt > at ? Math.max(0, backAt + afterMs - at) : 0,
    title: isKill ? `${service} cannot carry out a kill` : `${group} lags on ${topic}`,
    text: words(
      `${sentence(message)} That was ${formatDuration(now - at)} ago.`,
      isKill
        ? 'A flag that should be off may still be on: look at it with tidegate flag list, and turn it off with tidegate flag disable FLAG --env ENVIRONMENT --reason WHY.'
        : 'What depends on these messages is late.',
      `Look at what waits: tidegate bus lag -s ${service}.`,
    ),
    amount: 1,
    over: `${group} has handled what waited on ${topic}.`,
  };
}

export function givenUp({ service, givenUp }: Known): readonly Condition[] {
  const kills = givenUp.filter(({ isKill }) => isKill);
  const others = givenUp.filter(({ isKill }) => !isKill);
  return [
    ...letters('kill-given-up', kills, {
      title: `${service} could not carry out a kill`,
      means: words('It is not carried out.', commandsByHand(kills.map(byHand))),
      service,
    }),
    ...letters('message-ends-process', others, {
      title: `A message has ended ${service} again and again`,
      means: 'It was put aside, so that the service can go on; what it asked for is not done.',
      service,
    }),
  ];
}

function letters(
  name: string,
  found: readonly GivenUp[],
  { title, means, service }: { title: string; means: string; service: string },
): readonly Condition[] {
  const since = oldest(found);
  if (since === undefined) return [];
  const told = found.map((each) => `${nameOf(each)}, letter ${each.id} (${each.why})`);
  return [
    {
      name,
      severity: 'critical',
      since,
      afterMs: 0,
      title,
      text: words(
        `Given up: ${list(told, '; ')}.`,
        means,
        `When the cause is mended: tidegate bus replay LETTER -s ${service}.`,
      ),
      amount: found.length,
    },
  ];
}
