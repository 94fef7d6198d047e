import type { Migration } from '@tidegate/migration';
import type { Choices } from './choices.ts';

/** How to undo the migration; nothing if it cannot be undone. */
export function rollbackOf(
  { id, down }: Pick<Migration, 'id' | 'down'>,
  { backup = 'before-images' }: Choices,
): string[] {
  const command = `tidegate migration run ${id} --revert`;
  if (backup === 'none')
    return down ? [command, 'There are no before-images: down is applied to each document.'] : [];
  return [
    `${command} (until tidegate migration run ${id} --cleanup)`,
    'A document that is still what the migration made of it gets back what it was before.',
    down
      ? 'Where somebody has edited it since, down is applied and the edit kept.'
      : 'There is no down: a document that somebody has edited since is listed, and left as it is.',
  ];
}
