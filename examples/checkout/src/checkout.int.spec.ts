import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { startCheckout } from './index.ts';
import type { CheckoutOptions } from './options.ts';

const cleanUps: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const record = (key: string, version: number, definition: object) => ({
  key,
  epoch: 1,
  version,
  flag: {
    salt: key,
    definition: {
      type: 'boolean',
      variants: { on: true, off: false },
      defaultVariant: 'off',
      offVariant: 'off',
      exposure: { variant: 'on', percentage: 0 },
      ...definition,
    },
  },
});
/** Both features are open to ann alone. */
const annOnly = [
  record('checkout-v2', 1, { allowedUsers: ['ann'] }),
  record('express-pay', 1, { allowedUsers: ['ann'] }),
];

/** As much of flag-service as the SDK needs. */
async function flagService(flags: unknown[]) {
  const streams: ServerResponse[] = [];
  const server = createServer((request, response) => {
    if (request.method === 'POST') {
      request.resume();
      response.writeHead(204).end();
      return;
    }
    streams.push(response);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`event: snapshot\ndata: ${JSON.stringify({ digest: 'd', flags })}\n\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUps.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    change: (flag: unknown) => {
      for (const stream of streams) stream.write(`event: flag\ndata: ${JSON.stringify(flag)}\n\n`);
    },
  };
}

function options(url: string, rest: Partial<CheckoutOptions> = {}): CheckoutOptions {
  const folder = mkdtempSync(join(tmpdir(), 'checkout-'));
  cleanUps.push(() => {
    rmSync(folder, { recursive: true });
  });
  return {
    port: 0,
    host: '127.0.0.1',
    tidegate: { url, environment: 'production', key: 'k', onError: () => undefined },
    waitForFlagsMs: 5_000,
    flags: { checkout: 'checkout-v2', payment: 'express-pay' },
    databaseFile: join(folder, 'data', 'checkout.db'),
    seedOrders: 10,
    newPathErrorRate: 0,
    ...rest,
  };
}

async function started(rest: Partial<CheckoutOptions> = {}) {
  const flags = await flagService(annOnly);
  const checkout = await startCheckout(options(flags.url, rest));
  cleanUps.push(() => checkout.stop());
  const post = async (path: string, body: unknown) => {
    const response = await fetch(`${checkout.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Record<string, unknown>,
    };
  };
  const metric = async (series: string) => {
    const text = await (await fetch(`${checkout.url}/metrics`)).text();
    const line = text.split('\n').find((each) => each.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  };
  return { checkout, flags, post, metric };
}
const requests = (feature: string, variant: string, status: number) =>
  `checkout_requests_total{feature="${feature}",variant="${variant}",status="${status}"}`;
const cart = (userId: string, price = 10_00) => ({
  userId,
  items: [{ sku: 'tea', price, quantity: 2 }],
});

describe('the checkout', () => {
  it('prices by the path that the flag gives to the user, and counts by variant', async () => {
    const { post, metric } = await started();
    for (const userId of ['ann', 'bob']) {
      await post('/checkout', cart(userId, 300_00));
      const second = await post('/checkout', cart(userId));
      expect(second.status).toBe(201);
      expect(second.body['total']).toBe(userId === 'ann' ? 19_00 : 20_00);
    }
    expect(await metric(requests('checkout', 'on', 201))).toBe(2);
    expect(await metric(requests('checkout', 'off', 201))).toBe(2);
    expect(await metric(requests('checkout', 'on', 500))).toBe(0);
    const observed = 'checkout_duration_seconds_count{feature="checkout",variant="on"}';
    expect(await metric(observed)).toBe(2);
  });

  it('takes the other path as soon as the flag has changed in this process', async () => {
    const { checkout, flags, post, metric } = await started();
    const changed = new Promise((resolve) => {
      checkout.flags.onChange('checkout-v2', ({ after }) => {
        resolve(after.version);
      });
    });
    flags.change(record('checkout-v2', 2, { allowedUsers: [] }));
    expect(await changed).toBe(2);
    await post('/checkout', cart('ann'));
    expect(await metric(requests('checkout', 'on', 201))).toBe(0);
    expect(await metric(requests('checkout', 'off', 201))).toBe(1);
  });

  it.each([
    ['no items', { userId: 'ann', items: [] }, 'items'],
    ['a price that is no integer', cart('ann', 1.5), 'items[0].price'],
    ['no user', { items: cart('ann').items }, 'userId'],
  ])('refuses %s and names the field', async (_what, body, field) => {
    const { post } = await started();
    const answer = await post('/checkout', body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'CHECKOUT_BODY_INVALID' } });
    expect(answer.body['detail']).toContain(field);
  });
});

describe('the rules of carts', () => {
  const rules = (version: number, mode: string) =>
    record('cart-rules', version, {
      type: 'mode',
      variants: { off: 'off', warn: 'warn', enforce: 'enforce' },
      defaultVariant: mode,
      exposure: { variant: mode, percentage: 0 },
    });
  const bad = { userId: 'bob', items: [{ sku: 'Tea', price: 10_00, quantity: 1 }] };
  const judged = (mode: string, outcome: string) =>
    `checkout_stage_validation_requests_total{mode="${mode}",endpoint="/checkout",outcome="${outcome}"}`;

  it('come in by a mode flag: looked at by nobody, warned of, enforced', async () => {
    const { checkout, flags, post, metric } = await started();
    const modeIs = async (version: number, mode: string) => {
      const changed = new Promise((resolve) => {
        checkout.flags.onChange('cart-rules', resolve);
      });
      flags.change(rules(version, mode));
      await changed;
    };
    expect((await post('/checkout', bad)).status).toBe(201);
    await modeIs(1, 'warn');
    const warned = await post('/checkout', bad);
    expect(warned.status).toBe(201);
    expect(warned.headers.get('deprecation')).toBe('@1780272000');
    await modeIs(2, 'enforce');
    expect(await post('/checkout', bad)).toMatchObject({
      status: 422,
      body: {
        code: 'STAGE_VALIDATION_FAILED',
        errors: [{ pointer: '#/items/0/sku', detail: 'a sku is in lower case' }],
      },
    });
    expect(await metric(judged('off', 'not-validated'))).toBe(1);
    expect(await metric(judged('warn', 'violations'))).toBe(1);
    expect(await metric(judged('enforce', 'rejected'))).toBe(1);
    const evaluated =
      'tidegate_flag_evaluations_total{flag="cart-rules",variant="warn",reason="static"}';
    expect(await metric(evaluated)).toBe(1);
  });
});

describe('payment', () => {
  it('takes the amount due on both paths, also for orders from before totals were kept', async () => {
    const { post, metric } = await started();
    for (const userId of ['ann', 'bob'])
      expect(await post('/payments', { userId, orderId: 1 })).toMatchObject({
        status: 201,
        body: { amount: 14_50 },
      });
    expect(await metric(requests('payment', 'on', 201))).toBe(1);
    expect(await metric(requests('payment', 'off', 201))).toBe(1);
  });

  it('refuses an order that there is not', async () => {
    const { post } = await started();
    expect(await post('/payments', { userId: 'bob', orderId: 99 })).toMatchObject({
      status: 404,
      body: { code: 'ORDER_UNKNOWN' },
    });
  });
});

describe('the amount of an order', () => {
  const modeOf = (version: number, mode: string) =>
    record('order-amount', version, {
      type: 'string',
      variants: { off: 'off', shadow: 'shadow', new: 'new' },
      defaultVariant: mode,
      exposure: { variant: mode, percentage: 0 },
    });
  const compared = (mode: string, outcome: string) =>
    `checkout_dual_read_comparisons_total{read="order-amount",mode="${mode}",outcome="${outcome}"}`;

  it('is read from the kept total in the shadow first, then instead, as its flag says', async () => {
    const { checkout, flags, post, metric } = await started();
    const modeIs = async (version: number, mode: string) => {
      const changed = new Promise((resolve) => {
        checkout.flags.onChange('order-amount', resolve);
      });
      flags.change(modeOf(version, mode));
      await changed;
    };
    const { orderId } = (await post('/checkout', cart('bob'))).body;
    const pay = (id: unknown) => post('/payments', { userId: 'bob', orderId: id });
    await modeIs(1, 'shadow');
    expect(await pay(1)).toMatchObject({ status: 201, body: { amount: 14_50 } }); // no total yet
    expect(await pay(orderId)).toMatchObject({ status: 201, body: { amount: 20_00 } });
    await eventually(async () => (await metric(compared('shadow', 'mismatch'))) === 1);
    await eventually(async () => (await metric(compared('shadow', 'match'))) === 1);
    await modeIs(2, 'new');
    expect(await pay(orderId)).toMatchObject({ status: 201, body: { amount: 20_00 } });
    expect((await pay(1)).status).toBe(500);
    await eventually(async () => (await metric(compared('new', 'match'))) === 1);
    await modeIs(3, 'off');
    expect((await pay(1)).status).toBe(201);
  });
});

describe('faults', () => {
  it('strike only the new path, of the feature that they were set for', async () => {
    const { post, metric } = await started();
    const set = await post('/faults', { feature: 'checkout', newPathErrorRate: 1 });
    expect(set).toMatchObject({ status: 200, body: { payment: { newPathErrorRate: 0 } } });
    expect((await post('/checkout', cart('ann'))).status).toBe(500);
    expect((await post('/checkout', cart('bob'))).status).toBe(201);
    expect((await post('/payments', { userId: 'ann', orderId: 1 })).status).toBe(201);
    expect(await metric(requests('checkout', 'on', 500))).toBe(1);
  });

  it('can be there from the start', async () => {
    const { post } = await started({ newPathErrorRate: 1 });
    expect((await post('/payments', { userId: 'ann', orderId: 1 })).status).toBe(500);
  });

  it('that spoil a total are noticed as violations of the invariant', async () => {
    const { post, metric } = await started();
    expect(await metric('checkout_invariant_violations_total')).toBe(0);
    await post('/faults', { wrongTotalRate: 1 });
    await post('/checkout', cart('ann'));
    await post('/checkout', cart('bob'));
    expect(await metric('checkout_invariant_violations_total')).toBe(1);
  });

  it('beyond 100 %, or of another name, are refused', async () => {
    const { post } = await started();
    expect((await post('/faults', { newPathErrorRate: 5 })).status).toBe(400);
    expect((await post('/faults', { newPathErorRate: 0.5 })).status).toBe(400);
  });
});

describe('the service', () => {
  it('fills an empty database with orders of the old shape, once', async () => {
    const { checkout } = await started();
    const { url } = await flagService(annOnly);
    await checkout.stop();
    const again = await startCheckout(options(url, { databaseFile: checkout.database }));
    cleanUps.push(() => again.stop());
    const database = new DatabaseSync(checkout.database, { readOnly: true });
    cleanUps.push(() => {
      database.close();
    });
    expect(database.prepare('SELECT count(*) AS n, count(total) AS totals FROM orders').get())
      // A row of node:sqlite has no prototype.
      .toEqual(Object.assign(Object.create(null), { n: 10, totals: 0 }));
  });

  it('begins without flags, on its old paths, if none come in time', async () => {
    const checkout = await startCheckout(options('http://127.0.0.1:1', { waitForFlagsMs: 20 }));
    cleanUps.push(() => checkout.stop());
    const response = await fetch(`${checkout.url}/checkout`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(cart('ann')),
    });
    expect(response.status).toBe(201);
    const health = (await (await fetch(`${checkout.url}/health`)).json()) as object;
    expect(health).toMatchObject({ flags: { state: 'connecting' } });
  });

  it('does not start, and says why, when its port is taken', async () => {
    const { checkout, flags } = await started();
    const port = Number(new URL(checkout.url).port);
    await expect(startCheckout(options(flags.url, { port }))).rejects.toThrow('EADDRINUSE');
  });
});
