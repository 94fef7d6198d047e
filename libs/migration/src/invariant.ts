import { messageOf } from '@tidegate/kernel';
import type { Migration } from './migration.ts';
import type { Row } from './path.ts';
import { cloned, described, unawaited } from './value.ts';

/**
 * The first invariant that does not hold for the document, as words; undefined if all hold. They get a copy: what they edit, as
 * a sort in place does, would be written, or taken for the edit of somebody else.
 */
export function brokenInvariant(
  { invariants = [] }: Pick<Migration, 'invariants'>,
  document: Row,
): string | undefined {
  if (invariants.length === 0) return undefined;
  const copy = cloned(document);
  for (const { name, holds } of invariants)
    try {
      const answer: unknown = unawaited(holds(copy));
      if (typeof answer !== 'boolean')
        return `${name} (which gives ${described(answer)} instead of true or false)`;
      if (!answer) return name;
    } catch (error) {
      return `${name} (which throws: ${messageOf(error)})`;
    }
  return undefined;
}
