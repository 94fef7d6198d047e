import { AppError } from '@tidegate/kernel';

export type Env = Readonly<Record<string, string | undefined>>;

/** Each service's place after the base port, PORT_BASE (default 7400), as standalone gives them out. */
const OFFSETS = {
  'flag-service': 1,
  'metrics-gatekeeper': 2,
  'migration-runner': 3,
  'audit-sink': 4,
  notifier: 5,
} as const;
export type Service = keyof typeof OFFSETS;
export const services = Object.keys(OFFSETS) as readonly Service[];

/**
 * Where a service answers: `TIDEGATE_<SERVICE>_URL`, or its port on `TIDEGATE_HOST`; ends without a slash.
 * Thrown CLI_USAGE; a password would end up in messages.
 */
export function addressOf(service: Service, env: Env): string {
  const option = `TIDEGATE_${service.toUpperCase().replaceAll('-', '_')}_URL`;
  const own = env[option];
  const host = env['TIDEGATE_HOST'] ?? 'http://127.0.0.1';
  const base = Number(env['PORT_BASE'] ?? 7_400);
  const address =
    own ?? `${/^\w+:\/\//.test(host) ? host : `http://${host}`}:${base + OFFSETS[service]}`;
  const url = URL.parse(address);
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    throw new AppError(
      'CLI_USAGE',
      `${own === undefined ? 'TIDEGATE_HOST with PORT_BASE' : option} must be an http or https address without a password.`,
    );
  return address.replace(/\/+$/, '');
}
