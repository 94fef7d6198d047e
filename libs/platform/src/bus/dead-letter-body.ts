import type { DeadLetter } from '@tidegate/bus';

/** A dead letter in JSON. The value is text if it is UTF-8, else base64. */
export const deadLetterBody = ({ origin, record, ...letter }: DeadLetter) => ({
  ...letter,
  origin: { ...origin, offset: String(origin.offset) },
  record: { key: record.key, headers: record.headers, ...valueOf(record.value) },
});

function valueOf(value: Uint8Array | null): { value: string | null; encoding: 'utf-8' | 'base64' } {
  if (value === null) return { value: null, encoding: 'utf-8' };
  const bytes = Buffer.from(value);
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes)
    ? { value: text, encoding: 'utf-8' }
    : { value: bytes.toString('base64'), encoding: 'base64' };
}

/** True for the consumer groups of a service: its name, or its name, a dot and more. */
export const ownsGroup = (service: string, group: string): boolean =>
  group === service || group.startsWith(`${service}.`);
