import { AppError, causeOf } from '@tidegate/kernel';
import { z } from 'zod';
import type { MigrationErrorCode } from '../errors.ts';
import type { AskSnapshot, SnapshotWanted } from './snapshot.port.ts';

const answered = z.object({
  status: z.enum(['running', 'done', 'failed']),
  snapshot: z.string().max(1_000).optional(),
  message: z.string().max(1_000).optional(),
});
const failed = (message: string, options: { retryable?: boolean; cause?: unknown } = {}) =>
  new AppError<MigrationErrorCode>('MIGRATION_BACKUP_FAILED', message, options);

/** Errors name the host only: the rest of a URL may hold a key. Redirects are not followed. */
export const snapshotWebhook =
  (url: string, { timeoutMs }: { readonly timeoutMs: number }): AskSnapshot =>
  async (wanted) => {
    const { host } = new URL(url);
    const response = await sent(url, host, wanted, timeoutMs);
    if (response.status >= 400 && response.status < 500 && response.status !== 429) {
      await response.body?.cancel();
      throw failed(`The snapshot webhook at ${host} refused with ${response.status}.`);
    }
    const body: unknown = await response.json().catch(() => undefined);
    const { data: answer } = answered.safeParse(body);
    if (!response.ok || !answer)
      throw failed(
        `The snapshot webhook at ${host} answered ${response.status}, without { status: running, done or failed }.`,
        { retryable: true },
      );
    return answer;
  };

async function sent(url: string, host: string, wanted: SnapshotWanted, timeoutMs: number) {
  try {
    return await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
      headers: { 'content-type': 'application/json', 'idempotency-key': wanted.run },
      body: JSON.stringify(wanted),
    });
  } catch (cause) {
    throw failed(`The snapshot webhook at ${host} could not be reached: ${causeOf(cause)}`, {
      retryable: true,
      cause,
    });
  }
}
