import type { Collection } from '@tidegate/store';
import type { Signal } from './signal.ts';

export const signalId = (environment: string, signal: string): string => `${environment}/${signal}`;

export const signalCollection: Collection<Signal> = {
  name: 'signals',
  schemaVersion: 1,
  index: ({ environment }) => (environment === undefined ? {} : { environment }),
};
