import { messageOf } from '@tidegate/kernel';
import type { Migration } from './migration.ts';
import type { Row } from './path.ts';
import { described, unawaited } from './value.ts';

/** The first invariant that does not hold for the document, as words; undefined if all hold. */
export function brokenInvariant(
  { invariants = [] }: Pick<Migration, 'invariants'>,
  document: Row,
): string | undefined {
  for (const { name, holds } of invariants)
    try {
      const answer: unknown = unawaited(holds(document));
      if (typeof answer !== 'boolean')
        return `${name} (which gives ${described(answer)} instead of true or false)`;
      if (!answer) return name;
    } catch (error) {
      return `${name} (which throws: ${messageOf(error)})`;
    }
  return undefined;
}
