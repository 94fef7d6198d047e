import { z } from 'zod';

/** Options of a receiver of signed webhooks; each service that sends some has them under names of its own. */
export const webhookUrl = z
  .url({ protocol: /^https?$/ })
  .refine(hasNoPassword, 'must not hold a user or password: they would be in logs and events');

export const webhookSecret = z
  .string()
  .regex(
    /^(whsec_)?(?=.{24})([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
    'must be base64, at least 24 characters, e.g. whsec_ and what "openssl rand -base64 24" says',
  );

function hasNoPassword(url: string): boolean {
  const { username, password } = new URL(url);
  return username === '' && password === '';
}
