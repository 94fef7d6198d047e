import { describe, expect, it } from '@jest/globals';
import { readConfig } from './config.ts';

describe('options from the environment', () => {
  it('need only a key', () => {
    expect(readConfig({ TIDEGATE_KEY: 'k' })).toMatchObject({
      port: 7410,
      flags: { checkout: 'checkout-v2', payment: 'express-pay' },
      newPathErrorRate: 0,
    });
  });

  it('are refused with every problem in one message', () => {
    expect(() =>
      readConfig({ PORT: 'x', TIDEGATE_URL: 'localhost', NEW_PATH_ERROR_RATE: '5' }),
    ).toThrow(/PORT[\s\S]*TIDEGATE_URL[\s\S]*TIDEGATE_KEY[\s\S]*NEW_PATH_ERROR_RATE/);
  });
});
