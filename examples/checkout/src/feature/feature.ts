import { isRejection } from '@tidegate/kernel';

/** What this service does behind flags. */
export const features = ['checkout', 'payment'] as const;
export type Feature = (typeof features)[number];

/** `on` is the new path. */
export type Variant = 'on' | 'off';
export type Paths<T> = Readonly<Record<Variant, () => T>>;

const STATUSES: Readonly<Record<string, number>> = {
  ORDER_UNKNOWN: 404,
  ORDER_NOTHING_TO_PAY: 409,
};

/** The HTTP status of what a path returned. */
export const statusOf = (result: unknown): number =>
  isRejection(result) ? (STATUSES[result.code] ?? 409) : 201;
