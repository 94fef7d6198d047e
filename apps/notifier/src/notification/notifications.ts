import type { Collection } from '@tidegate/store';
import type { Notification } from './notification.ts';

export const notificationCollection: Collection<Notification> = {
  name: 'notifications',
  schemaVersion: 1,
  index: (state) => ({
    status: state.status,
    ...('told' in state ? { thread: state.told.alert.thread, channel: state.told.channel } : {}),
    ...(state.status === 'waiting' ? { dueAt: state.nextAttemptAt } : {}),
  }),
};
