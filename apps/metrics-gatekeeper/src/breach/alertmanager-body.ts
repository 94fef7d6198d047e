import { name, type ThresholdBreached } from '@tidegate/contracts';
import { z } from 'zod';

const texts = z.record(z.string(), z.string()).default({});

/** RFC 3339, to the millisecond. */
const instant = z.string().transform((text, context) => {
  const ms = Date.parse(text);
  if (ms >= 0) return Math.floor(ms);
  context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} is no time since 1970.` });
  return z.NEVER;
});

const alert = z.object({
  status: z.enum(['firing', 'resolved']),
  labels: texts,
  annotations: texts,
  startsAt: instant,
  /** Of the alert's labels; the same as long as they are. */
  fingerprint: z.string().min(1).max(500),
});
export type Alert = z.output<typeof alert>;

/** What Alertmanager posts to a webhook, in its version 4; what is not needed is left out. */
export const alertmanagerBody = z.object({
  version: z.literal('4', { error: 'must be "4", the version of the webhook that is read here' }),
  /** Alerts of the group that were not sent, by `max_alerts`. */
  truncatedAlerts: z.int().min(0).default(0),
  alerts: z.array(alert),
});

/** Why an alert is no breach. */
export type Ignored = { readonly reason: IgnoredReason; readonly detail: string };
type IgnoredReason = 'own' | 'resolved' | 'no-environment' | 'about-nothing';

/** On every alert that Tidegate sends: by it, it knows its own when an Alertmanager sends them back. */
export const OWN_LABEL = 'tidegate';

/** Labels by which an alert says what it is about. */
const ABOUT = ['rollout', 'plan', 'flag'] as const;

/** The breach that an alert reports, or why it is none. The alert's own fingerprint and start make its repeats one. */
export function breachOf({
  status,
  labels,
  annotations,
  startsAt,
  fingerprint,
}: Alert): ThresholdBreached['data'] | Ignored {
  if (labels[OWN_LABEL] === 'true')
    return { reason: 'own', detail: 'Tidegate has sent it, after it had acted on it.' };
  if (status === 'resolved')
    return { reason: 'resolved', detail: 'What has been rolled back is not opened again.' };
  const environment = name.safeParse(labels['environment']);
  if (!environment.success)
    return {
      reason: 'no-environment',
      detail: 'The label environment must name the environment that the alert is about.',
    };
  if (!ABOUT.some((label) => labels[label] !== undefined))
    return {
      reason: 'about-nothing',
      detail: `One of the labels ${ABOUT.join(', ')} must say what the alert is about.`,
    };
  const guard = labels['alertname'] || 'alertmanager';
  const texts = [annotations['summary'], annotations['description'], `${guard} is firing.`];
  return {
    environment: environment.data,
    labels,
    guard: guard.slice(0, 200),
    fingerprint,
    startsAt,
    message: (texts.find((text) => text?.trim()) ?? guard).trim().slice(0, 2_000),
  };
}
