import type { WireRecord } from './codec.ts';

/** The most that one encoded message may have: 1 MB of data and 16 KB for key and headers. */
export const MAX_MESSAGE_BYTES = 1_048_576 + 16_384;

const utf8 = new TextEncoder();
const bytesIn = (text: string): number => utf8.encode(text).byteLength;

/** Bytes of key, headers and value together, as MAX_MESSAGE_BYTES counts them. */
export const bytesOf = ({ key, headers, value }: WireRecord): number =>
  Object.entries(headers).reduce(
    (sum, [name, text]) => sum + bytesIn(name) + bytesIn(text),
    bytesIn(key ?? '') + (value?.byteLength ?? 0),
  );
