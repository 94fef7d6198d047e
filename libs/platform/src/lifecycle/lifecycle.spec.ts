import { describe, expect, it } from '@jest/globals';
import { Opened } from './shutdown.handler.ts';

describe('what was opened', () => {
  it('is closed in the opposite order, whatever becomes of each', async () => {
    const opened = new Opened();
    const closed: string[] = [];
    opened.add('log', () => void closed.push('log'));
    opened.add('store', async () => {
      closed.push('store');
      throw new Error('disk is gone');
    });
    opened.add('http', async () => void closed.push('http'));
    expect(await opened.close(1_000)).toEqual([{ step: 'store', why: 'disk is gone' }]);
    expect(closed).toEqual(['http', 'store', 'log']);
    expect(await opened.close(1_000)).toEqual([]);
    expect(closed).toHaveLength(3);
  });

  it('is closed also when what comes before it takes all the time', async () => {
    const opened = new Opened();
    const closed: string[] = [];
    opened.add('store', () => void closed.push('store'));
    opened.add('consumers', () => new Promise(() => undefined));
    expect(await opened.close(10)).toEqual([{ step: 'consumers', why: 'too late' }]);
    expect(closed).toEqual(['store']);
  });
});
