import type { Prerequisite } from '@tidegate/contracts';
import type { CompiledFlag } from './compiled-flag.ts';
import { type Details, failed, type FlagMetadata } from './details.ts';
import type { Serve } from './split.ts';

/** A prerequisite, with the flag that it names. */
export interface PrerequisiteFlag extends Prerequisite {
  readonly compiled: Pick<CompiledFlag, 'serve' | 'isStatic' | 'isDisabled'>;
}

/**
 * Each must be enabled and serve one of its variants to the same context; the first that does not decides. What one of
 * them cannot answer, the flag cannot answer either.
 */
export function servePrerequisites(
  key: string,
  prerequisites: readonly PrerequisiteFlag[],
  unmet: (prerequisite: string) => Details,
  metadata: FlagMetadata,
  next: Serve,
): Serve {
  return prerequisites.reduceRight<Serve>((next, { flag, variants, compiled }) => {
    const whenUnmet = unmet(flag);
    if (compiled.isDisabled) return () => whenUnmet;
    const { serve } = compiled;
    const wanted = new Set(variants);
    const [only] = variants.length === 1 ? variants : [];
    return (context) => {
      const served = serve(context);
      const { variant } = served;
      if (variant !== undefined && (variant === only || wanted.has(variant))) return next(context);
      return served.reason === 'ERROR' ? passedOn(key, flag, served, metadata) : whenUnmet;
    };
  }, next);
}

function passedOn(key: string, flag: string, error: Details, metadata: FlagMetadata): Details {
  const message = `The prerequisite ${flag} of the flag ${key} cannot be evaluated: ${error.errorMessage}`;
  return failed(undefined, error.errorCode ?? 'GENERAL', message, {
    ...metadata,
    prerequisite: flag,
  });
}
