import type { PipeTransform } from '@nestjs/common';
import { AppError } from '@tidegate/kernel';
import type { z } from 'zod';
import type { ProblemDetail } from './problem.ts';

export type RequestPart = 'body' | 'query' | { readonly path: string };

/** Lets only values of the schema's form through, as it reads them. Thrown REQUEST_INVALID, naming every fault. */
export class ZodPipe implements PipeTransform {
  readonly #schema: z.ZodType;
  readonly #part: RequestPart;

  constructor(schema: z.ZodType, part: RequestPart) {
    this.#schema = schema;
    this.#part = part;
  }

  transform(value: unknown): unknown {
    const read = this.#schema.safeParse(value ?? (this.#part === 'body' ? {} : value));
    if (read.success) return read.data;
    const errors = read.error.issues.map((issue) => detailOf(issue, this.#part));
    const first = errors[0];
    const where = first?.pointer ?? first?.parameter ?? '';
    throw new AppError('REQUEST_INVALID', `${where}: ${first?.detail}`, { data: { errors } });
  }
}

function detailOf(issue: z.core.$ZodIssue, part: RequestPart): ProblemDetail {
  const expected = 'expected' in issue ? { expected: String(issue.expected) } : {};
  const fault = { detail: issue.message, ...expected };
  if (part === 'body') return { pointer: pointerOf(issue.path), ...fault };
  return { parameter: part === 'query' ? issue.path.join('.') : part.path, ...fault };
}

/** RFC 6901, as a fragment. */
const pointerOf = (path: readonly PropertyKey[]): string =>
  ['#', ...path.map((step) => String(step).replaceAll('~', '~0').replaceAll('/', '~1'))].join('/');
