import { expect, it } from '@jest/globals';
import { Broadcasts } from './broadcasts.ts';

function world(count: number) {
  const later: (() => void)[] = [];
  const heard: string[] = [];
  const broadcasts = new Broadcasts<number, string>({
    slice: 2,
    deliver: (receiver, message) => heard.push(`${receiver}:${message}`),
    later: (go) => later.push(go),
  });
  const receivers = Array.from({ length: count }, (_, n) => n);
  return {
    broadcasts,
    heard,
    send: (about: string, message: string, isUrgent = false) =>
      broadcasts.send(about, message, receivers, isUrgent),
    /** One turn of everybody else. */
    turn: () => later.shift()?.(),
    all() {
      while (later.length > 0) later.shift()?.();
    },
    waits: () => later.length,
  };
}

it('tells a few at once, and leaves nothing to do', () => {
  const { send, heard, waits } = world(2);
  send('a', 'a1');
  send('b', 'b1');
  expect(heard).toEqual(['0:a1', '1:a1', '0:b1', '1:b1']);
  expect(waits()).toBe(0);
});

it('tells many slice by slice, and lets others do something in between', () => {
  const { send, heard, turn, all } = world(5);
  send('a', 'a1');
  expect(heard).toEqual(['0:a1', '1:a1']);
  turn();
  expect(heard).toHaveLength(4);
  all();
  expect(heard).toEqual(['0:a1', '1:a1', '2:a1', '3:a1', '4:a1']);
});

it('lets what is urgent go before what waits', () => {
  const { send, heard, all } = world(4);
  send('a', 'a1');
  send('b', 'b1');
  send('c', 'kill', true);
  expect(heard.slice(-2)).toEqual(['0:kill', '1:kill']);
  all();
  expect(heard.slice(4, 6)).toEqual(['2:kill', '3:kill']);
  expect(heard).toHaveLength(12);
});

it('does not tell the rest what is not true any more', () => {
  const { send, heard, all } = world(4);
  send('a', 'a1');
  send('a', 'a2', true);
  send('b', 'b1');
  send('b', 'b2');
  all();
  expect(heard.filter((each) => each.endsWith('a1'))).toEqual(['0:a1', '1:a1']);
  for (const message of ['a2', 'b2'])
    expect(heard.filter((each) => each.endsWith(message))).toHaveLength(4);
});

it('takes nobody for somebody', () => {
  const { send, broadcasts } = world(0);
  send('a', 'a1');
  expect(broadcasts.size).toBe(0);
});
