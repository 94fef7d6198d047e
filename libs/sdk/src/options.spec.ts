import { describe, expect, it } from '@jest/globals';
import { settingsOf, type TidegateOptions } from './options.ts';

const given = { url: 'http://localhost:7401/', environment: 'production', key: 'secret' };

describe('options', () => {
  it('fill in what is left out, or given as undefined', () => {
    const settings = settingsOf({ ...given, staleAfterMs: undefined } as never, 'host-1');
    expect(settings).toMatchObject({
      url: 'http://localhost:7401',
      instance: 'host-1',
      application: 'unnamed',
      staleAfterMs: 30_000,
    });
  });

  it.each<[Partial<TidegateOptions>, string]>([
    [{ url: 'localhost:7401' }, 'url must be'],
    [{ url: undefined as never }, 'url must be'],
    [{ environment: 'Production!' }, 'environment must be lower-case'],
    [{ key: ' ' }, 'key must not be empty'],
    [{ instance: '' }, 'instance must not be empty'],
    [{ application: 'x'.repeat(201) }, 'application must have at most 200 characters'],
    [{ staleAfterMs: 0 }, 'staleAfterMs must be'],
    [{ idleTimeoutMs: Number.NaN }, 'idleTimeoutMs must be'],
    [{ heartbeatEveryMs: Infinity }, 'heartbeatEveryMs must be'],
    [{ firstRetryMs: 500, longestRetryMs: 100 }, 'longestRetryMs cannot be less than firstRetryMs'],
    [{ mode: 'push' as never }, 'mode must be stream or poll, not "push"'],
    [{ notReadyAfterMs: 1_000 }, 'notReadyAfterMs cannot be less than staleAfterMs'],
    [{ notReadyAfterMs: -1 }, 'notReadyAfterMs must be'],
    [{ mode: 'poll', pollIntervalMs: 60_000 }, 'pollIntervalMs must be less than staleAfterMs'],
    [{ bootstrap: { file: '' } }, 'bootstrap must name a file'],
  ])('refuse %p', (wrong, sentence) => {
    expect(() => settingsOf({ ...given, ...wrong }, 'host-1')).toThrow(sentence);
  });

  it('name all problems at once, and never the key', () => {
    const wrong = () => settingsOf({ url: 'x', environment: 'E', key: 'secret' }, 'host-1');
    expect(wrong).toThrow(/url must be.*environment must be/);
    expect(wrong).not.toThrow('secret');
  });
});
