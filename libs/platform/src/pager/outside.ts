import { formatDuration } from '@tidegate/kernel';
import { byHand, commandsByHand, list, nameOf, oldest, sentence, words } from './words.ts';
import type { Known } from './known.ts';
import type { Condition } from './page.ts';

/** A kill that waits this long is one that a person has to carry out. */
const KILL_WAITS_MS = 5_000;
const GOES_ON = 'Nothing has to be restarted: what waits goes on by itself.';

export function busAway(known: Known, now: number): readonly Condition[] {
  const { service, bus, busAddress, afterMs, details } = known;
  if (bus.awaySince === undefined) return [];
  const title = `${service} cannot reach the bus`;
  return [
    {
      name: 'bus-away',
      severity: 'critical',
      since: bus.awaySince,
      afterMs,
      title,
      text: words(
        `${title} (${busAddress}) for ${formatDuration(now - bus.awaySince)}: ${sentence(bus.reason)}`,
        owed(known, now),
        ...details[known.store.awaySince === undefined ? 'bus' : 'store'],
        'Look at the brokers and at the network between.',
        GOES_ON,
      ),
      amount: 1,
      over: `${service} reaches the bus again.`,
    },
  ];
}

export function storeAway(known: Known, now: number): readonly Condition[] {
  const { service, store, storeAddress, afterMs, details } = known;
  if (store.awaySince === undefined) return [];
  const title = `${service} cannot use its store`;
  return [
    {
      name: 'store-away',
      severity: 'critical',
      since: store.awaySince,
      afterMs,
      title,
      text: words(
        `${title} (${storeAddress}) for ${formatDuration(now - store.awaySince)}: ${sentence(store.reason)}`,
        'It decides nothing and changes nothing until then, neither by itself nor for a person who asks.',
        ...details.store,
        'Look at the database, its disk, and the network between.',
        GOES_ON,
      ),
      amount: 1,
      over: `${service} can use its store again.`,
    },
  ];
}

export function killWaits(known: Known, now: number): readonly Condition[] {
  const { service, kills, bus, refusal, afterMs } = known;
  const since = oldest(kills);
  // One that is on its way is none that waits: another one at each look would look like one that does.
  if (since === undefined || now - since < Math.min(KILL_WAITS_MS, afterMs)) return [];
  const why = bus.awaySince === undefined ? (refusal ?? 'it has not answered yet') : bus.reason;
  return [
    {
      name: 'kill-waits',
      severity: 'critical',
      since,
      afterMs: 0,
      title: `${service} cannot send ${kills.length === 1 ? 'a kill' : `${kills.length} kills`}`,
      text: words(
        `The bus does not take what ${service} has decided: ${sentence(why)}`,
        owed(known, now),
      ),
      amount: kills.length,
      over: `The bus has taken every kill of ${service}.`,
    },
  ];
}

function owed({ kills, owing }: Known, now: number): string | undefined {
  const since = oldest(kills);
  if (since === undefined)
    return owing && `${documents(owing.documents)} since ${formatDuration(now - owing.since)}.`;
  const [count, wait] =
    kills.length === 1 ? ['1 kill', 'waits'] : [`${kills.length} kills`, 'wait'];
  return words(
    `${count} ${wait} since ${formatDuration(now - since)} and ${kills.length === 1 ? 'is' : 'are'} not carried out until then: ${list(kills.map(nameOf))}.`,
    commandsByHand(kills.map(byHand)),
  );
}

const documents = (count: number): string =>
  count === 1 ? '1 document owes it messages' : `${count} documents owe it messages`;

/** The bus answers, and yet it takes not everything: a topic may be gone, full or forbidden. */
export function outboxWaits(known: Known, now: number): readonly Condition[] {
  const { service, owing, bus, store, kills, refusal, afterMs, details } = known;
  const isTold = bus.awaySince !== undefined || store.awaySince !== undefined || kills.length > 0;
  if (!owing || isTold) return [];
  const since = Math.max(owing.since, bus.backAt ?? 0, store.backAt ?? 0);
  const title = `The bus answers, but does not take what ${service} sends`;
  return [
    {
      name: 'outbox-waits',
      severity: 'critical',
      since,
      afterMs,
      title,
      text: words(
        `${title}: ${documents(owing.documents)} since ${formatDuration(now - owing.since)}.`,
        refusal && `It says: ${sentence(refusal)}`,
        'Others do not hear of what was changed until then.',
        ...details.bus,
        'Look whether a topic is missing or full, or may not be written to.',
      ),
      amount: 1,
      over: `The bus has taken all that ${service} owed.`,
    },
  ];
}
