import { expect, it } from '@jest/globals';
import { ofrepReason } from './ofrep-reason.ts';

it('uses only reasons that every OpenFeature client knows', () => {
  expect(ofrepReason('PREREQUISITE_FAILED')).toBe('DEFAULT');
  expect(ofrepReason('DISABLED')).toBe('DISABLED');
  expect(ofrepReason('TARGETING_MATCH')).toBe('TARGETING_MATCH');
});
