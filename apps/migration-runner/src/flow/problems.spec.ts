import { expect, it } from '@jest/globals';
import { flowProblems } from './problems.ts';

it('names what options cannot mean', () => {
  expect(flowProblems({ batchSize: 500 })).toEqual([]);
  expect(
    flowProblems({
      batchSize: 500,
      minBatchSize: 501,
      flow: {
        maxLoad: 10,
        criticalLoad: 10,
        window: { from: '22:00', to: '22:00', timeZone: 'Europe/Nowhere' },
      },
    }),
  ).toEqual([
    'minBatchSize 501 is more than batchSize 500',
    'flow.criticalLoad 10 must be more than flow.maxLoad 10',
    'flow.window.timeZone Europe/Nowhere is no time zone such as Europe/Berlin',
    'flow.window from 22:00 to 22:00 is no time at all',
  ]);
});
