import { decode, type Verdict, verdict } from '@tidegate/contracts';
import { isRejection, reject, type Rejection } from '@tidegate/kernel';
import { z } from 'zod';

/** Something that a rollout decided, and the verdicts it rests on. */
export interface Decision {
  readonly type: string;
  /** ms since 1970 */
  readonly at: number;
  readonly step?: string;
  readonly verdicts: readonly Verdict[];
  /** Its place in the audit log. */
  readonly record?: number;
}

/** An event of a rollout; `id` and its source tell it from all others. */
export interface Told {
  readonly id: string;
  readonly type: string;
  readonly at: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The content of an audit record, as audit-sink's API and its archive have it. */
export interface Content {
  readonly key: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: { readonly utf8: string } | { readonly base64: string } | null;
}

/** An event of this rollout: what it says. Undefined if it is about something else. */
export function toldIn(content: Content, rollout: string): Told | undefined | Rejection {
  if (content.key !== rollout) return undefined;
  const { key, headers, value } = content;
  const bytes =
    value && ('utf8' in value ? Buffer.from(value.utf8) : Buffer.from(value.base64, 'base64'));
  const decoded = decode({ key, headers, value: bytes });
  if (isRejection(decoded)) return decoded;
  const { type, metadata, data } = decoded.message;
  const told = data as Told['data'];
  return told['rollout'] === rollout
    ? { id: `${metadata.source}/${metadata.id}`, type, at: metadata.at, data: told }
    : undefined;
}

/** What was decided, if it was decided on verdicts. Refused CLI_VERDICT_MALFORMED when one has not the form of one. */
export function decisionOf(
  { type, at, data }: Told,
  record?: number,
): Decision | undefined | Rejection {
  const found = [...listOf(data['verdicts']), ...listOf(data['verdict'])];
  if (found.length === 0) return undefined;
  const read = z.array(verdict).safeParse(found);
  if (!read.success)
    return reject(
      'CLI_VERDICT_MALFORMED',
      `${type} has a verdict that is none: ${problemIn(read.error)}.`,
    );
  const step = typeof data['step'] === 'string' ? { step: data['step'] } : {};
  return { type, at, ...step, verdicts: read.data, ...(record === undefined ? {} : { record }) };
}

const problemIn = ({ issues }: z.ZodError): string =>
  issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');

const listOf = (value: unknown): readonly unknown[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];
