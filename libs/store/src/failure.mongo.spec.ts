import { expect, it } from '@jest/globals';
import { AppError } from '@tidegate/kernel';
import fc from 'fast-check';
import mongoose from 'mongoose';
import { storeErrorCodes } from './errors.ts';
import { isDuplicateKey, nameFailure } from './failure.mongo.ts';

const { mongo } = mongoose;
const answer = (code: number) =>
  new mongo.MongoServerError({ message: 'as the server says', code });

it.each([
  ['a server that is gone', new mongo.MongoNetworkError('closed'), 'STORE_UNREACHABLE', true],
  [
    'a server that hangs',
    new mongo.MongoNetworkTimeoutError('timed out'),
    'STORE_UNREACHABLE',
    true,
  ],
  [
    'a connection that breaks as it is used',
    Object.assign(new Error('This socket has been ended by the other party'), { code: 'EPIPE' }),
    'STORE_UNREACHABLE',
    true,
  ],
  [
    'a bulk write that is broken off',
    new mongo.MongoBulkWriteError(
      new mongo.MongoNetworkError('connection 8 to 127.0.0.1:27017 closed'),
      {} as ConstructorParameters<typeof mongo.MongoBulkWriteError>[1],
    ),
    'STORE_UNREACHABLE',
    true,
  ],
  ['a server that is no longer primary', answer(10_107), 'STORE_UNREACHABLE', true],
  ['a server that shuts down', answer(11_600), 'STORE_UNREACHABLE', true],
  ['a server that ran out of disk', answer(14_031), 'STORE_UNREACHABLE', true],
  [
    'a write that no majority has acknowledged',
    new mongo.MongoWriteConcernError({ ok: 1, writeConcernError: { code: 64, errmsg: 'late' } }),
    'STORE_UNREACHABLE',
    true,
  ],
  ['a document that is too large', answer(17_419), 'STORE_DOCUMENT_TOO_LARGE', false],
  ['wrong credentials', answer(18), 'STORE_FAILED', false],
  ['a mistake of ours', new mongo.MongoInvalidArgumentError('no such'), 'STORE_FAILED', false],
])('names %s', (_what, cause, code, retryable) => {
  expect(nameFailure(cause)).toMatchObject({ code, retryable, cause });
});

it('passes on what already has a name', () => {
  const error = new AppError('STORE_VERSION_CONFLICT', 'Too late.', { retryable: true });
  expect(nameFailure(error)).toBe(error);
});

it('names whatever else is thrown, and never throws itself', () => {
  fc.assert(
    fc.property(fc.anything({ withNullPrototype: true }), (thrown) => {
      expect(isDuplicateKey(thrown)).toBe(false);
      const { code, retryable } = nameFailure(thrown);
      expect(storeErrorCodes).toContain(code);
      expect(retryable).toBe(false);
    }),
  );
});
