import { expect, it } from '@jest/globals';
import { z } from 'zod';
import { routes, routesFor } from './route.ts';

const all = routes.parse([
  { name: 'log', channel: 'console', continue: true },
  {
    name: 'night',
    match: { severity: 'critical', environment: ['production', 'staging'] },
    channel: 'on-call',
  },
  { name: 'rest', match: { severity: ['info', 'warning'] }, channel: 'chat' },
]);
const names = (labels: Record<string, string>) => routesFor(all, labels).map(({ name }) => name);

it('takes the first route that matches, and goes on only where a route says so', () => {
  expect(names({ severity: 'critical', environment: 'production' })).toEqual(['log', 'night']);
  expect(names({ severity: 'info' })).toEqual(['log', 'rest']);
});

it('does not match a label that is missing', () => {
  expect(names({ severity: 'critical' })).toEqual(['log']);
});

it.each([
  [{ sevrity: 'critical' }, 'sevrity'],
  [{ severity: 'crit' }, 'severity'],
  [{ severity: ['info', 'crit'] }, 'severity'],
  [{ event: 'RolloutRolledback' }, 'event'],
  [{ environment: [] }, 'environment'],
  [{ environment: '' }, 'environment'],
])('refuses %j, which no alert would ever match', (match, field) => {
  const parsed = routes.safeParse([{ name: 'night', match, channel: 'console' }]);
  expect(z.prettifyError(parsed.error!)).toContain(field);
});
