import { describe, expect, it } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { pino } from 'pino';
import type { Sent } from '../webhook/webhook.http.ts';
import { Deliveries } from './deliveries.handler.ts';

const delivered: Sent = { delivered: true };
const failed = (retryable: boolean): Sent => ({
  delivered: false,
  message: 'It said no.',
  retryable,
});

function setting(answer: (id: string, attempt: number) => Sent | 'hang') {
  const sent: string[] = [];
  const counts: Record<string, number> = {};
  const log: Record<string, unknown>[] = [];
  const deliveries = new Deliveries({
    send: ({ id, attempt }, signal) => {
      sent.push(`${id}.${attempt}`);
      const what = answer(id, attempt);
      if (what !== 'hang') return Promise.resolve(what);
      return new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve(undefined));
      });
    },
    log: pino({}, { write: (line) => void log.push(JSON.parse(line) as Record<string, unknown>) }),
    counted: (outcome) => (counts[outcome] = (counts[outcome] ?? 0) + 1),
    waitsMs: [1],
  });
  const add = (...ids: string[]): void => {
    for (const id of ids) deliveries.add({ id, body: '{}' });
  };
  return { deliveries, sent, counts, log, add };
}

describe('pages', () => {
  it('are sent in order, each again until it is taken', async () => {
    const { add, sent, counts, deliveries } = setting((id, attempt) =>
      id === 'a' && attempt < 3 ? failed(true) : delivered,
    );
    add('a', 'b');
    await eventually(() => counts['delivered'] === 2);
    expect(sent).toEqual(['a.1', 'a.2', 'a.3', 'b.1']);
    expect(deliveries).toMatchObject({ waiting: 0, failure: undefined });
  });

  it('that the receiver refuses for a moment are sent again: it may be on its way out or in', async () => {
    const { add, sent, counts } = setting((_, attempt) =>
      attempt < 3 ? failed(false) : delivered,
    );
    add('a');
    await eventually(() => counts['delivered'] === 1);
    expect([sent, counts]).toEqual([['a.1', 'a.2', 'a.3'], { failed: 2, delivered: 1 }]);
  });

  it('that the receiver goes on to refuse are given up, which is said; the next ones are sent', async () => {
    const { add, sent, counts, log } = setting((id) => (id === 'a' ? failed(false) : delivered));
    add('a', 'b');
    await eventually(() => counts['delivered'] === 1);
    expect(sent.slice(-2)).toEqual(['a.8', 'b.1']);
    expect(counts).toEqual({ failed: 8, 'given-up': 1, delivered: 1 });
    expect(log.map(({ msg }) => msg)).toContain('a page was given up: nobody was told');
  });

  it('are kept in bounds while nobody takes them, and given up at last', async () => {
    const { add, counts, deliveries } = setting(() => failed(true));
    add(...Array.from({ length: 150 }, (_, n) => `p-${n}`));
    expect(deliveries.waiting).toBe(100);
    expect(counts['given-up']).toBe(50);
    await eventually(() => (counts['given-up'] ?? 0) > 51);
    expect(deliveries.failure).toBe('It said no.');
    await deliveries.close(0);
  });

  it('on their way are waited for by a stop, but not for ever', async () => {
    const { add, sent, deliveries } = setting((id) => (id === 'b' ? 'hang' : delivered));
    add('a', 'b', 'c');
    await deliveries.close(10);
    expect(sent).toEqual(['a.1', 'b.1']);
  });

  it('before the end of the process pass all that waits, and hold it up no longer than they may', async () => {
    const { add, sent, deliveries, counts } = setting((id) => (id === 'last' ? delivered : 'hang'));
    add('a');
    await deliveries.now({ id: 'last', body: '{}' }, 10_000);
    expect(sent).toEqual(['a.1', 'last.1']);
    await deliveries.now({ id: 'later', body: '{}' }, 10);
    expect(counts).toEqual({ delivered: 1, 'given-up': 1 });
    await deliveries.close(0);
  });
});
