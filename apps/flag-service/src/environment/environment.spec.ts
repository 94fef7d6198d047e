import type { PutEnvironment } from '@tidegate/contracts';
import { specification } from '@tidegate/kernel/testing';
import { it } from '@jest/globals';
import { environmentDecider } from './environment.ts';

const given = specification(environmentDecider);
const put = (description?: string): PutEnvironment => ({
  type: 'PutEnvironment',
  key: 'production',
  data: { environment: 'production', description },
  metadata: { id: 'c-1', source: 'spec', at: 7, actor: 'alex', correlationId: 'c-1' },
});
const changed = (description?: string) => ({
  type: 'EnvironmentChanged' as const,
  data: { environment: 'production', ...(description === undefined ? {} : { description }) },
});

it('is made once, however often it is asked for', () => {
  given([]).when(put()).then([changed()]);
  given([changed()]).when(put()).then([]);
});

it('takes a new description', () => {
  given([changed()])
    .when(put('where money is'))
    .then([changed('where money is')]);
});
