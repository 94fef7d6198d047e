import { messageOf } from '@tidegate/kernel';
import type { Migration } from './migration.ts';
import type { Row } from './path.ts';

/** The first invariant that does not hold for the document, as words; undefined if all hold. */
export function brokenInvariant(
  { invariants = [] }: Pick<Migration, 'invariants'>,
  document: Row,
): string | undefined {
  for (const { name, holds } of invariants)
    try {
      if (!holds(document)) return name;
    } catch (error) {
      return `${name} (which throws: ${messageOf(error)})`;
    }
  return undefined;
}
