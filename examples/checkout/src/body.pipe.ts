import type { PipeTransform } from '@nestjs/common';
import { AppError } from '@tidegate/kernel';
import { z } from 'zod';

/** Thrown CHECKOUT_BODY_INVALID: names each field and what was expected. */
export class BodyOf<S extends z.ZodType> implements PipeTransform<unknown, z.output<S>> {
  readonly #schema: S;

  constructor(schema: S) {
    this.#schema = schema;
  }

  transform(body: unknown): z.output<S> {
    const parsed = this.#schema.safeParse(body);
    if (parsed.success) return parsed.data;
    throw new AppError('CHECKOUT_BODY_INVALID', z.prettifyError(parsed.error));
  }
}
