import type { Details } from '@tidegate/evaluation';
import { expect, it } from '@jest/globals';
import { sdkHeartbeat } from '@tidegate/contracts';
import { UseCounts } from './use-counts.ts';

const served = (variant: string): Details => ({
  value: true,
  variant,
  reason: 'SPLIT',
  flagMetadata: {},
});
const failed = (errorCode: Details['errorCode'] & string): Details => ({
  value: false,
  reason: 'ERROR',
  errorCode,
  flagMetadata: {},
});

it('counts variants by flag, callers that had to do with their default, and keys that no flag has', () => {
  const counts = new UseCounts();
  for (const variant of ['on', 'off', 'on']) counts.count('checkout', served(variant));
  counts.count('checkout', failed('TARGETING_KEY_MISSING'));
  counts.count('chekout', failed('FLAG_NOT_FOUND'));
  counts.count('early', failed('PROVIDER_NOT_READY'));
  expect(counts.take()).toEqual({
    evaluations: { checkout: { on: 2, off: 1, ERROR: 1 } },
    unknown: ['chekout'],
  });
  expect(counts.take()).toEqual({ evaluations: {}, unknown: [] });
});

it('what could not be told counts again, beside what came meanwhile', () => {
  const counts = new UseCounts();
  counts.count('checkout', served('on'));
  counts.count('chekout', failed('FLAG_NOT_FOUND'));
  const lost = counts.take();
  counts.count('checkout', served('on'));
  counts.giveBack(lost);
  expect(counts.take()).toEqual({ evaluations: { checkout: { on: 2 } }, unknown: ['chekout'] });
});

it('keys that a caller makes up do not use up memory', () => {
  const counts = new UseCounts();
  for (let n = 0; n < 10_000; n += 1) counts.count(`made-up-${n}`, failed('FLAG_NOT_FOUND'));
  counts.count('x'.repeat(201), failed('FLAG_NOT_FOUND'));
  expect(counts.take().unknown).toHaveLength(100);
});

it('a heartbeat never tells more than a server takes, however long it could not be told', () => {
  const counts = new UseCounts();
  for (let n = 0; n < 5_500; n += 1) counts.count(`flag-${n}`, served('on'));
  for (let n = 0; n < 250; n += 1) counts.count('flag-0', served(`variant-${n}`));
  for (let n = 0; n < 250; n += 1) counts.count(`made-up-${n}`, failed('FLAG_NOT_FOUND'));
  counts.giveBack({ evaluations: { late: { on: 1 } }, unknown: ['late'] });
  const told = { application: 'checkout', instance: 'checkout-1', applied: {}, ...counts.take() };
  expect(() => sdkHeartbeat.parse(told)).not.toThrow();
});

it('flags named like parts of an object are flags like others', () => {
  const counts = new UseCounts();
  counts.count('constructor', served('toString'));
  expect(counts.take().evaluations).toEqual({ constructor: { toString: 1 } });
});
