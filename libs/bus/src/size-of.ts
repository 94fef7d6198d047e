import type { WireRecord } from '@tidegate/contracts';

/** Bytes of key, headers and value together, as MAX_MESSAGE_BYTES counts them. */
export function sizeOf({ key, headers, value }: WireRecord): number {
  let bytes = (value?.byteLength ?? 0) + Buffer.byteLength(key ?? '');
  for (const name in headers)
    bytes += Buffer.byteLength(name) + Buffer.byteLength(headers[name] ?? '');
  return bytes;
}
