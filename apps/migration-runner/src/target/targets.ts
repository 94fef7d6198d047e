import { AppError } from '@tidegate/kernel';
import type { Targets } from './target.port.ts';

/** Databases by name, from options: which opener a URL needs is decided in the module. */
export const createTargets = (
  urls: Readonly<Record<string, string>>,
  connect: (url: string, access: 'read' | 'write') => Awaited<ReturnType<Targets['open']>>,
): Targets => ({
  open: async (name, access) => {
    const url = urls[name];
    if (url === undefined)
      throw new AppError(
        'MIGRATION_TARGET_UNKNOWN',
        `There is no database ${name} in MIGRATION_TARGETS; there are: ${Object.keys(urls).join(', ') || 'none'}.`,
      );
    return connect(url, access);
  },
});
