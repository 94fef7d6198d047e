/** Who asks, by the body of any request of this service, before anybody has looked at its form. */
export function userOf(body: unknown): string | undefined {
  const { userId } = (body ?? {}) as { readonly userId?: unknown };
  return typeof userId === 'string' ? userId : undefined;
}
