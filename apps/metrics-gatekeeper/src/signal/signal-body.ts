import { name } from '@tidegate/contracts';
import { z } from 'zod';

const message = z.string().trim().min(1).max(2_000);

export const signalBody = z.strictObject({
  environment: name,
  signal: name,
  count: z.number().min(0).default(1),
  labels: z.record(z.string(), z.string()).default({}),
  message: message.optional(),
});

/** Of a webhook whose body is not ours to choose. Every other parameter is a label. */
export const signalQuery = z
  .object({
    environment: name,
    count: z.coerce.number().min(0).default(1),
    message: message.optional(),
  })
  .catchall(z.string());

/** Where programs that send webhooks say what has happened, best first. */
const SAYING = ['message', 'text', 'title', 'summary', 'subject', 'description'] as const;

/** What a signal says, out of its query and a body that somebody else has designed. */
export function readForeign(
  { environment, count, message: given, ...labels }: z.output<typeof signalQuery>,
  body: unknown,
): Pick<z.output<typeof signalBody>, 'environment' | 'count' | 'labels' | 'message'> {
  const fields = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  const said = SAYING.map((field) => fields[field]).find(
    (value): value is string => typeof value === 'string' && value.trim() !== '',
  );
  const text = given ?? said?.trim().slice(0, 2_000);
  return { environment, count, labels, ...(text === undefined ? {} : { message: text }) };
}
