import { AppError } from '@tidegate/kernel';
import type { z } from 'zod';
import { PlatformConfig } from './platform-config.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Config<C extends z.ZodType> {
  readonly platform: PlatformConfig;
  readonly own: z.output<C>;
}

/** The one place where the process's environment is read. */
export const processEnvironment = (): Environment => process.env;

/**
 * All options, the shared ones and the service's own; what is set to nothing counts as not set.
 * Thrown CONFIG_INVALID: all problems in one message.
 */
export function readConfig<C extends z.ZodType>(env: Environment, own: C): Config<C> {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const platform = PlatformConfig.safeParse(set);
  const service = own.safeParse(set);
  if (platform.success && service.success) return { platform: platform.data, own: service.data };
  const issues = [...(platform.error?.issues ?? []), ...(service.error?.issues ?? [])];
  throw new AppError('CONFIG_INVALID', ['Options are wrong:', ...issues.map(lineOf)].join('\n'));
}

const lineOf = ({ path, message }: z.core.$ZodIssue): string =>
  path.length === 0 ? `  ${message}` : `  ${path.join('.')}: ${message}`;
