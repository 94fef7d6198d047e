import type { WireRecord } from '@tidegate/contracts';

/** Bytes of key, headers and value together, as MAX_MESSAGE_BYTES counts them. */
export function sizeOf({ key, headers, value }: WireRecord): number {
  let bytes = (value?.byteLength ?? 0) + Buffer.byteLength(key ?? '');
  for (const name in headers)
    bytes += Buffer.byteLength(name) + Buffer.byteLength(headers[name] ?? '');
  return bytes;
}

/** True if the record is of at most `limit` bytes; measures exactly only where it might not be. */
export function fits(record: WireRecord, limit: number): boolean {
  const { key, headers, value } = record;
  let units = key?.length ?? 0;
  for (const name in headers) units += name.length + (headers[name]?.length ?? 0);
  const mostBytesOfUnit = 3;
  return (value?.byteLength ?? 0) + mostBytesOfUnit * units <= limit || sizeOf(record) <= limit;
}
