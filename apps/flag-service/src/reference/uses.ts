import type { Index } from '@tidegate/store';
import type { References } from '@tidegate/contracts';

/** The index field by which those who refer to a flag or segment are found. */
export const useOf = (kind: 'flag' | 'segment', key: string): string => `uses ${kind}/${key}`;

/** The index fields of a document that refers to these. */
export const usesOf = ({ flags, segments }: References): Index =>
  Object.fromEntries([
    ...flags.map((key) => [useOf('flag', key), true]),
    ...segments.map((key) => [useOf('segment', key), true]),
  ]);
