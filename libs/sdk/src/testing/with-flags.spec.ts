import { describe, expect, it } from '@jest/globals';
import { withFlags } from './with-flags.ts';

describe('withFlags', () => {
  it('gives a client that answers with these flags, by who asks where one says how', async () => {
    const seen = await withFlags(
      { on: true, plan: ({ targetingKey }) => (targetingKey === 'ann' ? 'pro' : 'free') },
      (flags) => [
        flags.boolean('on', false),
        flags.string('plan', '', { targetingKey: 'ann' }),
        flags.string('plan', '', { targetingKey: 'bob' }),
        flags.string('plan', ''),
        flags.details('plan', 1).errorCode,
        flags.details('other', 1).errorCode,
      ],
    );
    expect(seen).toEqual([true, 'pro', 'free', 'free', 'TYPE_MISMATCH', 'FLAG_NOT_FOUND']);
  });

  it('lets the spec change them, and whoever listens hears of it', async () => {
    await withFlags({ on: () => true }, (flags) => {
      const heard: string[] = [];
      flags.onChange('*', ({ key }) => void heard.push(key));
      flags.set('on', false);
      expect(flags.boolean('on', true)).toBe(false);
      flags.remove('on');
      expect(flags.boolean('on', true)).toBe(true);
      expect(heard).toEqual(['on', 'on']);
    });
  });

  it('closes the client, also when the spec fails', async () => {
    const failing = withFlags({}, (flags) => {
      throw Object.assign(new Error('spec'), { flags });
    });
    await expect(failing).rejects.toMatchObject({ flags: { status: { state: 'closed' } } });
  });
});
