import { createHash } from 'node:crypto';

export interface Asked {
  readonly method: string;
  /** With its query. */
  readonly url: string;
  /** As it was read; undefined without one. */
  readonly body: unknown;
}

const sha256 = (...parts: readonly string[]): string =>
  createHash('sha256').update(parts.join('\n')).digest('hex');

/** What a request asks for: equal for its repetitions, whatever their white space. */
export const fingerprintOf = ({ method, url, body }: Asked): string =>
  sha256(method, url, JSON.stringify(body) ?? '');

/** Keys of different callers have nothing to do with each other. */
export const nameOf = (caller: string, key: string): string => sha256(caller, key);
