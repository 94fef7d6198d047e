import type { Known } from './known.ts';
import { busAway, killWaits, outboxWaits, storeAway } from './outside.ts';
import type { Condition } from './page.ts';
import { givenUp, laggards } from './reported.ts';

/** What holds now, whether or not it has held for long enough to page anybody. */
export const conditionsOf = (known: Known, now: number): readonly Condition[] => [
  ...busAway(known, now),
  ...storeAway(known, now),
  ...killWaits(known, now),
  ...outboxWaits(known, now),
  ...laggards(known, now),
  ...givenUp(known),
];
