import type { ReadFailure } from './failures.ts';

export interface FetchLimits {
  /** From connecting to the last byte; ms. */
  readonly timeoutMs: number;
  /** Of one answer, decompressed. */
  readonly maxBytes: number;
}

/** An answer with 2xx; with `readErrors` any answer. `what` goes on after the name of what was asked. */
export type Fetched =
  | {
      readonly ok: boolean;
      readonly status: number;
      readonly headers: Headers;
      readonly text: string;
    }
  | { readonly failure: ReadFailure; readonly what: string };

export type FetchInit = RequestInit & { readonly readErrors?: boolean };

/** One request and its whole answer, in time or until the signal. Never rejects. */
export async function fetchText(
  url: string,
  { timeoutMs, maxBytes }: FetchLimits,
  { readErrors = false, ...init }: FetchInit = {},
): Promise<Fetched> {
  const signal = init.signal ?? AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, { ...init, signal });
    const { ok, status, headers } = response;
    if (!ok && !readErrors) {
      await response.body?.cancel();
      return { failure: 'bad-status', what: `answered ${status}` };
    }
    const text = await readText(response, maxBytes);
    return text === undefined
      ? { failure: 'too-large', what: `answered with more than ${maxBytes} bytes` }
      : { ok, status, headers, text };
  } catch (error) {
    const cause = causeOf(error);
    return signal.aborted || cause.includes('TIMEOUT') || cause === 'ETIMEDOUT'
      ? { failure: 'timeout', what: `did not answer within ${timeoutMs} ms` }
      : { failure: 'unreachable', what: `could not be read: ${cause}` };
  }
}

/** Undefined once it is larger than `maxBytes`; the rest is not fetched. */
async function readText(response: Response, maxBytes: number): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let size = 0;
  let text = '';
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

export function isAllowed(target: string): boolean {
  if (!URL.canParse(target)) return false;
  const { protocol, username, password } = new URL(target);
  return (protocol === 'http:' || protocol === 'https:') && username === '' && password === '';
}

export function withoutSecrets(target: string): string {
  if (!URL.canParse(target)) return target;
  const url = new URL(target);
  if (url.username === '' && url.password === '') return target;
  url.username = '';
  url.password = '';
  return url.href;
}

/** undici says "fetch failed" or "terminated" and puts what happened into the cause. */
function causeOf(error: unknown): string {
  const cause = fieldOf(error, 'cause');
  return String(fieldOf(cause, 'code') ?? fieldOf(cause, 'message') ?? fieldOf(error, 'message'));
}

const fieldOf = (value: unknown, field: string): unknown =>
  typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)[field]
    : undefined;
