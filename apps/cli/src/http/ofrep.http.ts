import { AppError, causeOf } from '@tidegate/kernel';
import { z } from 'zod';

const ofrepFlags = z.object({
  flags: z.array(
    z.object({
      key: z.string(),
      value: z.unknown().optional(),
      variant: z.string().optional(),
      errorCode: z.string().optional(),
    }),
  ),
});
export type OfrepFlag = z.output<typeof ofrepFlags>['flags'][number];

/** The flags in an answer of OFREP's bulk evaluation. Thrown CLI_UNREACHABLE if it is none. */
export function flagsIn(body: unknown, from: string): readonly OfrepFlag[] {
  const read = ofrepFlags.safeParse(body);
  if (read.success) return read.data.flags;
  throw new AppError('CLI_UNREACHABLE', `${from} does not answer as OFREP does.`);
}

/** Asks another server for every flag. Thrown CLI_UNREACHABLE. */
export async function askOfrep(
  url: string,
  context: object,
  signal: AbortSignal,
): Promise<unknown> {
  const address = `${url.replace(/\/+$/, '')}/ofrep/v1/evaluate/flags`;
  const unreachable = (why: string, cause?: unknown) =>
    new AppError('CLI_UNREACHABLE', `${address}: ${why}`, { cause });
  const response = await fetch(address, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ context }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(30_000)]),
  }).catch((error: unknown) => {
    throw unreachable(causeOf(error), error);
  });
  if (!response.ok) throw unreachable(`it answers with ${response.status}`);
  return response.json();
}
