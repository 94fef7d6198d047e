import type { Channel } from './channel.port.ts';

/** Writes into the service's log: where no other channel is configured, nothing is lost silently. */
export const consoleChannel = (write: (fields: object, sentence: string) => void): Channel => ({
  send: async ({ id, alert }) => {
    const { title, text, severity, thread } = alert;
    write({ notification: id, severity, thread, title, text }, 'a notification');
    return { delivered: true };
  },
});
