import { type Plan, readPlan } from '@tidegate/contracts';
import { isRejection, reject, type Rejection } from '@tidegate/kernel';
import type { Plans } from './plans.handler.ts';

/** A plan that is stored, in its newest version or another, or one that is only asked about: given as its text. */
export async function planAsked(
  plans: Plans,
  name: string,
  { version, text }: { readonly version?: number | undefined; readonly text?: string | undefined },
): Promise<Plan | Rejection> {
  if (text !== undefined) {
    return version === undefined
      ? planIn(plans.read(name, text))
      : reject('PLAN_ASKED_TWICE', 'Give either a version that is stored or a text, not both.');
  }
  const found = await plans.find(name, version);
  if (isRejection(found)) return found;
  return found.text === undefined
    ? reject('PLAN_TEXT_GONE', `The text of version ${found.version} is no longer kept here.`)
    : planIn(readPlan(found.text));
}

function planIn(read: ReturnType<Plans['read']>): Plan | Rejection {
  if ('plan' in read) return read.plan;
  const [first] = read.problems;
  const more = read.problems.length > 1 ? ` (and ${read.problems.length - 1} more)` : '';
  const place = first === undefined || first.path === '' ? '' : `${first.path}: `;
  return reject(
    'PLAN_VERSION_UNUSABLE',
    `line ${first?.line ?? 1}: ${place}${first?.message ?? 'not a plan'}${more}`,
  );
}
