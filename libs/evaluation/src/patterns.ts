import addresses from 'ipaddr.js';
import { RE2JS } from 're2js';
import semver from 'semver';

/** True or false; undefined if the value is not of the kind that is asked for. */
export type Matcher = (value: unknown) => boolean | undefined;

/** RE2 syntax, linear time, anywhere in the text; a sentence if it is no such pattern. */
export function patternMatcher(pattern: string, ignoreCase: boolean): Matcher | string {
  try {
    const compiled = RE2JS.compile(pattern, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
    return (value) => (typeof value === 'string' ? compiled.test(value) : undefined);
  } catch (error) {
    return `expected a pattern in RE2 syntax: ${error instanceof Error ? error.message : 'unreadable'}`;
  }
}

/**
 * Versions of Semantic Versioning, a leading `v` allowed; a sentence if it is no range. Pre-releases count by their
 * precedence alone: 2.5.0-beta.1 is in `>=2.4.0`, 2.4.0-beta.1 is not.
 */
export function rangeMatcher(text: string): Matcher | string {
  const options = { includePrerelease: true };
  if (semver.validRange(text, options) === null)
    return 'expected a range of versions such as ">=2.4.0 <3"';
  const range = new semver.Range(text, options);
  return (value) => {
    const version = typeof value === 'string' ? semver.parse(value) : null;
    return version === null ? undefined : range.test(version);
  };
}

/** Addresses of IPv4 or IPv6; an IPv4 address written as IPv6 counts as IPv4. A sentence if one is no network. */
export function networkMatcher(texts: readonly string[]): Matcher | string {
  const networks = texts.map(networkOf);
  const wrong = networks.indexOf(undefined);
  if (wrong >= 0) return `expected networks such as "10.0.0.0/8"; found "${texts[wrong]}"`;
  return (value) => {
    const address = typeof value === 'string' ? addressOf(value) : undefined;
    if (address === undefined) return undefined;
    for (const network of networks)
      if (network?.[0].kind() === address.kind() && address.match(network)) return true;
    return false;
  };
}

type Address = addresses.IPv4 | addresses.IPv6;
const MAPPED_BITS = 96;

/** Four decimal numbers or IPv6: other ways to write IPv4 mean different addresses to different programs. */
function addressOf(text: string): Address | undefined {
  if (addresses.IPv4.isValidFourPartDecimal(text)) return addresses.IPv4.parse(text);
  if (!addresses.IPv6.isValid(text)) return undefined;
  const address = addresses.IPv6.parse(text);
  return address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

/** A network, or an address alone for a network of one. */
function networkOf(text: string): [Address, number] | undefined {
  const [before = '', bitsText, more] = text.split('/');
  const address = addressOf(before);
  if (address === undefined || more !== undefined) return undefined;
  const isMapped = address.kind() === 'ipv4' && before.includes(':');
  const longest = address.kind() === 'ipv4' ? 32 : 128;
  if (bitsText === undefined) return [address, longest];
  if (!/^\d{1,3}$/.test(bitsText)) return undefined;
  const bits = Number(bitsText) - (isMapped ? MAPPED_BITS : 0);
  return bits >= 0 && bits <= longest ? [address, bits] : undefined;
}
