import { randomUUID } from 'node:crypto';
import type { Clock, Ids } from '@tidegate/kernel';

export const systemClock: Clock = { now: () => Date.now() };

/** Random UUIDs, version 4. */
export const randomIds: Ids = { next: () => randomUUID() };
