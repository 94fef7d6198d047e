import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { OpenFeature } from '@openfeature/web-sdk';
import { connect } from '../../../docs/how-to/examples/openfeature-web.ts';
import { type Program, start } from '../../e2e/process.ts';
import { openShop, type Shop } from './shop-house.ts';

jest.setTimeout(60_000);

let shop: Shop;
let proxy: Program;
let origin: string;
beforeAll(async () => {
  shop = await openShop();
  const env = { ...shop.house.environment, TIDEGATE_KEY: shop.keys.browser, PORT: '0' };
  proxy = start('docs/how-to/examples/flags-proxy.ts', [], env);
  const [, port] = /port: (\d+)/.exec(await proxy.printed(/port: \d+/)) ?? [];
  origin = `http://127.0.0.1:${port}`;
});
afterAll(async () => {
  await OpenFeature.close();
  await proxy.kill();
  await shop[Symbol.asyncDispose]();
});

it('asks in a browser without a key, and sees a kill with the next look', async () => {
  const flags = await connect(origin, 'ada', 50);
  expect(flags.getBooleanValue('checkout-v2', false)).toBe(true);
  expect(flags.getStringValue('banner', 'none')).toBe('spring');
  expect(flags.getNumberValue('discount', 0)).toBe(0.15);
  expect(flags.getObjectValue('retry', {})).toMatchObject({ attempts: 3 });
  await shop.ask('POST', '/flags/banner/disable', { reason: 'spring is over' });
  await eventually(() => flags.getStringValue('banner', 'mine') === 'none');
});

it.each(['/v1/environments/production/snapshot', '/flags/../v1/environments', '/flags/ofrep/v1'])(
  'leads browsers to evaluations only: not to %s',
  async (path) => {
    expect((await fetch(`${origin}${path}`, { method: 'POST', body: '{}' })).status).toBe(404);
    expect((await fetch(`${origin}${path}`)).status).toBe(404);
  },
);
