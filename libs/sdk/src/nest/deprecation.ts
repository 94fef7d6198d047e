export interface DeprecationOptions {
  /** Since when, or from when on, the form that is warned of is deprecated: the header `Deprecation` (RFC 9745). */
  readonly deprecatedAt: Date;
  /** When it will be refused: the header `Sunset` (RFC 8594). */
  readonly sunset?: Date;
  /** Where the new form is described: a `Link` with rel="deprecation". */
  readonly link?: string;
}

/** Deprecation is a structured field's date: `@` and seconds since 1970. Sunset is an HTTP date. */
export function deprecationHeaders({
  deprecatedAt,
  sunset,
  link,
}: DeprecationOptions): readonly (readonly [string, string])[] {
  return [
    ['deprecation', `@${Math.floor(deprecatedAt.getTime() / 1_000)}`],
    ...(sunset ? [['sunset', sunset.toUTCString()] as const] : []),
    ...(link === undefined ? [] : [['link', `<${link}>; rel="deprecation"`] as const]),
  ];
}
