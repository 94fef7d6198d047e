import { reason, segmentDefinition } from '@tidegate/contracts';
import { z } from 'zod';

/** What people send: a definition, and why. What is not known is refused by name. */
export const segmentBody = z
  .strictObject({ ...segmentDefinition.shape, reason: reason.optional() })
  .transform(({ reason, ...definition }) => ({
    definition,
    ...(reason === undefined ? {} : { reason }),
  }));
