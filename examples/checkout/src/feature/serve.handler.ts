import type { Tidegate } from '@tidegate/sdk';
import type { Faults } from './faults.ts';
import { type Feature, type Paths, statusOf, type Variant } from './feature.ts';

export interface Outcome {
  readonly feature: Feature;
  readonly variant: Variant;
  /** Of the HTTP answer. */
  readonly status: number;
  readonly seconds: number;
}

/** Takes the path that the feature's flag chooses for the user of the request. Whatever the path throws goes on. */
export type Serve = <T>(feature: Feature, paths: Paths<T>) => T;

export function serving(parts: {
  readonly flags: Tidegate;
  /** Which flag opens the new path of which feature. */
  readonly flagOf: Readonly<Record<Feature, string>>;
  readonly faults: Faults;
  readonly served: (outcome: Outcome) => void;
}): Serve {
  const { flags, flagOf, faults, served } = parts;
  return (feature, paths) => {
    const isNew = flags.boolean(flagOf[feature], false);
    const variant = isNew ? 'on' : 'off';
    const startedAt = performance.now();
    let status = 500;
    try {
      if (isNew) faults.strike(feature);
      const result = paths[variant]();
      status = statusOf(result);
      return result;
    } finally {
      served({ feature, variant, status, seconds: (performance.now() - startedAt) / 1_000 });
    }
  };
}
