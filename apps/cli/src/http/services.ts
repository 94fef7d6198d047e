/** Where each service answers, unless `TIDEGATE_<SERVICE>_URL` says otherwise. */
export const services = {
  'flag-service': 7401,
  'metrics-gatekeeper': 7402,
  'migration-runner': 7403,
  'audit-sink': 7404,
  notifier: 7405,
} as const;
export type Service = keyof typeof services;

export function addressOf(
  service: Service,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const own = env[`TIDEGATE_${service.toUpperCase().replaceAll('-', '_')}_URL`];
  const host = env['TIDEGATE_HOST'] ?? 'http://127.0.0.1';
  return (own ?? `${host}:${services[service]}`).replace(/\/$/, '');
}
