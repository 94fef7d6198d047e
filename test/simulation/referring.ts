import {
  AbortRollout,
  DeleteSegment,
  DisableFlag,
  EnableFlag,
  type FlagDefinition,
  PutFlag,
  PutSegment,
  ReleaseFlag,
  ReleaseSegment,
  RestoreFlag,
  segmentDefinition,
} from '@tidegate/contracts';
import { definitionWith, type People } from './people.ts';
import type { Seeded } from './random.ts';
import {
  BASKET,
  BETA,
  ENVIRONMENT,
  FLAG,
  INVOICES,
  OTHER,
  OTHER_PLAN,
  otherPlan,
  PAYMENTS,
  type Scenario,
  STAFF,
} from './scenario.ts';

const because = { reason: 'because' };
const flag = (key: string) => ({ environment: ENVIRONMENT, key });
const OPEN = 60_000;

const put = (people: People, key: string, definition: FlagDefinition, overTopic?: boolean) =>
  people.command(
    PutFlag,
    { ...flag(key), definition, salt: `salt-${key}` },
    overTopic === undefined ? {} : { overTopic },
  );

const putSegment = (people: People, key: string, asks: readonly string[], overTopic?: boolean) =>
  people.command(
    PutSegment,
    {
      ...flag(key),
      definition: segmentDefinition.parse({
        members: ['user-2'],
        when: { any: asks.map((segment) => ({ segment })) },
      }),
    },
    overTopic === undefined ? {} : { overTopic },
  );

/** What the flag refers to, what that refers to, and a plan for another one of them. */
export async function putReferences(people: People, scenario: Scenario): Promise<void> {
  const deep = scenario.refers?.deep === true ? [BASKET] : [];
  await putSegment(people, STAFF, [], false);
  await putSegment(people, BETA, deep.length > 0 ? [STAFF] : [], false);
  await put(people, BASKET, definitionWith(OPEN), false);
  await put(people, PAYMENTS, definitionWith(OPEN, undefined, deep), false);
  await put(people, INVOICES, definitionWith(OPEN, undefined, [PAYMENTS]), false);
  await people.ask('PutPlan', (doors) =>
    doors.plans?.put(OTHER_PLAN, JSON.stringify(otherPlan(scenario)), {
      source: 'people:alex',
      actor: 'alex',
    }),
  );
}

/** What people do to what the flag refers to, and to what it refers to itself. */
export function atReferences(people: People, random: Seeded, what: string): Promise<void> {
  const key = random.pick([PAYMENTS, PAYMENTS, BASKET]);
  switch (what) {
    case 'other':
      return people.start(OTHER, 'kim', OTHER_PLAN);
    case 'abort-other':
      return people.command(AbortRollout, { rollout: OTHER, ...because });
    case 'roll-back-other':
      return people.rollBack(OTHER);
    case 'move-reference':
      return put(people, key, definitionWith(random.pick([0, 20_000, 80_000])));
    case 'rewire-reference':
      return put(people, PAYMENTS, definitionWith(OPEN, undefined, random.pick([[], [BASKET]])));
    case 'rewire-flag':
      return put(
        people,
        FLAG,
        definitionWith(
          0,
          undefined,
          random.pick([[], [BASKET], [PAYMENTS, BASKET]]),
          random.pick([[], [BETA], [STAFF], [BETA, STAFF]]),
        ),
      );
    case 'restore-reference':
      return people.command(RestoreFlag, {
        ...flag(key),
        definition: definitionWith(50_000),
        ...because,
      });
    case 'disable-reference':
      return people.command(DisableFlag, { ...flag(key), ...because });
    case 'release-reference':
      return people.command(ReleaseFlag, { ...flag(key), ...because });
    case 'move-segment':
      return people.command(PutSegment, {
        ...flag(random.pick([BETA, STAFF])),
        definition: segmentDefinition.parse({ members: [`user-${random.between(1, 9)}`] }),
      });
    case 'rewire-segment':
      return putSegment(people, BETA, random.pick([[], [STAFF]]));
    case 'delete-segment':
      return people.command(DeleteSegment, { ...flag(random.pick([BETA, STAFF])), ...because });
    case 'release-segment':
      return people.command(ReleaseSegment, { ...flag(random.pick([BETA, STAFF])), ...because });
    case 'mend-reference':
      return mend(people, key);
    default:
      throw new TypeError(`Nobody knows how to ${what}.`);
  }
}

/** As its refusal says: released first, then enabled. */
async function mend(people: People, key: string): Promise<void> {
  await people.command(ReleaseFlag, { ...flag(key), ...because });
  await people.command(EnableFlag, { ...flag(key), ...because });
}
