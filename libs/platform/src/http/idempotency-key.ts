import { AppError } from '@tidegate/kernel';

type Header = string | string[] | undefined;

export const isIdempotencyKey = (header: Header): header is string =>
  typeof header === 'string' && /^[\x21-\x7e]{1,200}$/.test(header);

/** The key of a header Idempotency-Key, if there is one. Thrown IDEMPOTENCY_KEY_MALFORMED. */
export function idempotencyKey(header: Header): string | undefined {
  if (header === undefined || isIdempotencyKey(header)) return header;
  throw new AppError(
    'IDEMPOTENCY_KEY_MALFORMED',
    'Idempotency-Key must be 1 to 200 printable characters without spaces.',
  );
}
