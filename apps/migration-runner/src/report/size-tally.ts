import type { PlanReport } from '@tidegate/contracts';
import type { Row } from '@tidegate/migration';
import type { Key } from '../target/target.port.ts';
import { bytesOf } from './size.ts';
import { shownKey } from './tally.ts';

type Size = PlanReport['size'];
type Largest = { readonly key: Key; readonly bytes: number };

export interface SizeTally {
  add(key: Key, before: Row, after: Row): void;
  readonly size: () => Size;
}

/** How large documents are and become. @param limitBytes of one document, where the server has a limit */
export function sizeTally(limitBytes: number | undefined): SizeTally {
  let documents = 0;
  let [bytesBefore, bytesAfter, overLimit] = [0, 0, 0];
  let largestBefore: Largest | undefined;
  let largestAfter: Largest | undefined;
  return {
    add(key, before, after) {
      const [was, becomes] = [bytesOf(before), bytesOf(after)];
      documents += 1;
      bytesBefore += was;
      bytesAfter += becomes;
      if (was > (largestBefore?.bytes ?? -1)) largestBefore = { key, bytes: was };
      if (becomes > (largestAfter?.bytes ?? -1)) largestAfter = { key, bytes: becomes };
      if (limitBytes !== undefined && becomes > limitBytes) overLimit += 1;
    },
    size: () => ({
      documents,
      bytesBefore,
      bytesAfter,
      ...(largestBefore ? { largestBefore: shownLargest(largestBefore) } : {}),
      ...(largestAfter ? { largestAfter: shownLargest(largestAfter) } : {}),
      ...(limitBytes === undefined ? {} : { limitBytes }),
      overLimit,
    }),
  };
}

const shownLargest = ({ key, bytes }: Largest) => ({ key: shownKey(key), bytes });
