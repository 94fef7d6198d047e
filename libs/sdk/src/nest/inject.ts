import { Inject } from '@nestjs/common';
import type { DualReadMetrics } from '../dual-read/dual-read.port.ts';
import type { ModeMetrics } from './mode-metrics.port.ts';
import type { RequestContexts } from './request-contexts.ts';
import type { Report } from '../report.ts';

/** Token of the `Tidegate` that TidegateModule provides; specs override it. */
export const TIDEGATE = Symbol('TIDEGATE');

/** `constructor(@InjectFlags() private readonly flags: Tidegate)` */
export const InjectFlags = (): PropertyDecorator & ParameterDecorator => Inject(TIDEGATE);

/** Token of what guards need beside the flags. */
export const REQUESTS = Symbol('TIDEGATE_REQUESTS');

export interface Requests {
  readonly contexts: RequestContexts;
  readonly report: Report;
  readonly modeMetrics: ModeMetrics | undefined;
  readonly dualReadMetrics: DualReadMetrics | undefined;
}
