import { expect, it } from '@jest/globals';
import { AppError } from '@tidegate/kernel';
import fc from 'fast-check';
import { nameFailure } from './failure.sqlite.ts';
import { storeErrorCodes } from './errors.ts';

const driverError = (errcode: number) =>
  Object.assign(new Error('as the driver says'), { code: 'ERR_SQLITE_ERROR', errcode });

it.each([
  ['a full disk', 13, 'STORE_UNREACHABLE', true],
  ['a failing fsync', 10 | (4 << 8), 'STORE_UNREACHABLE', true],
  ['a locked file', 5, 'STORE_UNREACHABLE', true],
  ['a damaged file', 11, 'STORE_FAILED', false],
  ['a broken constraint', 19 | (5 << 8), 'STORE_FAILED', false],
])('names %s', (_what, errcode, code, retryable) => {
  const cause = driverError(errcode);
  expect(nameFailure(cause)).toMatchObject({ code, retryable, cause });
});

it('passes on what already has a name', () => {
  const error = new AppError('STORE_VERSION_CONFLICT', 'Too late.', { retryable: true });
  expect(nameFailure(error)).toBe(error);
});

it('names whatever else is thrown, and never throws itself', () => {
  fc.assert(
    fc.property(fc.anything({ withNullPrototype: true }), (thrown) => {
      const { code, retryable } = nameFailure(thrown);
      expect(storeErrorCodes).toContain(code);
      expect(retryable).toBe(false);
    }),
  );
});
