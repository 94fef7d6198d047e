import { expect, it } from '@jest/globals';
import { specification } from '@tidegate/kernel/testing';
import { newestOf, planDecider, type PutPlan, TEXTS_KEPT } from './stored-plan.ts';

const given = specification(planDecider);
const put = (text: string): PutPlan => ({
  type: 'PutPlan',
  data: { plan: 'demo', text, hash: `sha256:${text}` },
  metadata: { id: 'c', source: 'spec', at: 7, actor: 'alex', correlationId: 'c' },
});
const version = (number: number, text: string) => ({
  type: 'PlanVersionCreated' as const,
  data: { plan: 'demo', version: number, hash: `sha256:${text}`, text, by: 'alex' },
});

it('makes the next version of a text, and names who brought it', () => {
  given([])
    .when(put('a'))
    .then([version(1, 'a')]);
  given([version(1, 'a')])
    .when(put('b'))
    .then([version(2, 'b')]);
});

it('makes no version of the text that is the newest already', () => {
  given([version(1, 'a')])
    .when(put('a'))
    .then([]);
});

it('makes a new version of a text that was there before, but is no longer the newest', () => {
  given([version(1, 'a'), version(2, 'b')])
    .when(put('a'))
    .then([version(3, 'a')]);
});

it('keeps every version, and the texts of the newest', () => {
  const versions = Array.from({ length: TEXTS_KEPT + 2 }, (_, index) =>
    version(index + 1, `t${index + 1}`),
  );
  const { state } = given(versions).when(put('x'));
  if (state.status === 'absent') throw new Error('nothing was stored');
  expect(state.versions).toHaveLength(TEXTS_KEPT + 2);
  expect(state.versions.map(({ text }) => text).slice(0, 3)).toEqual([undefined, undefined, 't3']);
  expect(newestOf(state)).toMatchObject({ version: TEXTS_KEPT + 2, text: `t${TEXTS_KEPT + 2}` });
});
