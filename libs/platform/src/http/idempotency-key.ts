import { AppError } from '@tidegate/kernel';

/** The key of a header Idempotency-Key, if there is one. Thrown IDEMPOTENCY_KEY_MALFORMED. */
export function idempotencyKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header === 'string' && /^[\x21-\x7e]{1,200}$/.test(header)) return header;
  throw new AppError(
    'IDEMPOTENCY_KEY_MALFORMED',
    'Idempotency-Key must be 1 to 200 printable characters without spaces.',
  );
}
