import type { Document } from '@tidegate/store';
import { z } from 'zod';
import type { Notification } from './notification.ts';

export const notificationQuery = z.object({
  status: z.enum(['waiting', 'delivered', 'given-up', 'suppressed']).optional(),
  thread: z.string().optional(),
});
export const acknowledgement = z.strictObject({ reason: z.string().max(2_000).optional() });
export const previewBody = z.strictObject({ labels: z.record(z.string(), z.string()) });

/** A notification as people read it: per channel state, attempts, the last failure. */
export function notificationBody({ id, state }: Pick<Document<Notification>, 'id' | 'state'>) {
  if (state.status === 'absent') return undefined;
  if (!('told' in state)) {
    const { alert, status, reason, at } = state;
    return {
      notification: id,
      status,
      reason,
      at,
      thread: alert.thread,
      title: alert.title,
      severity: alert.severity,
    };
  }
  const { told, ...rest } = state;
  const { alert, ...of } = told;
  const { fingerprint: _internal, ...shown } = alert;
  return { notification: id, ...rest, ...of, ...shown };
}
