import { expect, it } from '@jest/globals';
import { runOptionProblems } from './migration-rules.ts';

const told = (options: object) =>
  runOptionProblems(options).map(({ path, message }) => `${path.join('.')} ${message}`);

it('finds nothing in options that can be kept', () => {
  expect(told({ action: 'plan' })).toEqual([]);
  const flow = {
    maxLoad: 5,
    criticalLoad: 9,
    window: { from: '22:00', to: '06:00', timeZone: 'UTC' },
  };
  const kept = { onError: 'skip', maxErrors: 5, backup: 'none', onFailure: 'revert' };
  expect(told({ action: 'execute', minBatchSize: 500, flow, ...kept })).toEqual([]);
});

it('names each option that means nothing to the action, or cannot be kept beside another', () => {
  const window = { from: '22:00', to: '22:00', timeZone: 'Europe/Nowhere' };
  const flow = { maxLoad: 9, criticalLoad: 9, window };
  const options = {
    action: 'verify',
    backup: 'none',
    minBatchSize: 501,
    onFailure: 'stop',
    maxErrors: 5,
    flow,
  };
  expect(told(options)).toEqual([
    'maxErrors means something only to plan, execute and backup',
    'backup means something only to plan and execute',
    'minBatchSize is more than batchSize, which is 500',
    'maxErrors needs onError: skip or quarantine',
    'flow.criticalLoad is not above maxLoad, which is 9',
    'flow.window.to is 22:00 as from is: no time at all',
    'flow.window.timeZone is no time zone such as Europe/Berlin',
  ]);
});

it.each([undefined, 7, { flow: 7 }, { flow: { window: [] } }])('reads also %j', (value) => {
  expect(runOptionProblems(value)).toEqual([]);
});
