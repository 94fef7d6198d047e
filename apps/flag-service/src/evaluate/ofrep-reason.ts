import type { Details } from '@tidegate/evaluation';

/**
 * The reason as OFREP's clients know it. Ours of a prerequisite that is not met is none of OpenFeature's, and clients
 * that know no other give up the answer for the caller's default (openfeature-provider-ofrep 0.3 for Python). DISABLED
 * will not do: the provider for Go answers that with the default, too. Which prerequisite it was stands in the metadata.
 */
export const ofrepReason = (reason: Details['reason']): Details['reason'] =>
  reason === 'PREREQUISITE_FAILED' ? 'DEFAULT' : reason;
