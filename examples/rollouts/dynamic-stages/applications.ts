import { between, hexId, pick, type Random, seeded } from '../random.ts';

/** A document as programs without dynamic stages write it. */
export interface LegacyApplication {
  readonly _id: string;
  readonly job: string;
  readonly workflow: string;
  readonly status: string;
  readonly candidate: { readonly name: string; readonly email: string; readonly letter: string };
  readonly history?: readonly { readonly status: string; readonly at: Date; readonly by: string }[];
}

const WORKFLOWS: Readonly<Record<string, readonly string[]>> = {
  standard: ['new', 'in-review', 'interviewing', 'offer-made', 'hired'],
  executive: ['new', 'in-review', 'interviewing', 'assessing', 'with-board', 'offer-made', 'hired'],
  internship: ['new', 'interviewing', 'hired'],
};
const JOBS = ['cook', 'nurse', 'director', 'electrician', 'teacher'];
const USERS = ['import', 'alex', 'kim', 'robin'];
const SENTENCE =
  'I would like to work with you, since what you do is what I have always wanted to do. ';
const FIRST = Date.UTC(1968, 0, 1);
const HOUR = 3_600_000;

/**
 * @param strangers share of documents with a status that no program knows: they cannot be migrated
 */
export function* applications(
  count: number,
  { seed, strangers = 0 }: { readonly seed: number; readonly strangers?: number },
): Generator<LegacyApplication> {
  const random = seeded(seed);
  for (let n = 1; n <= count; n += 1) {
    const application = applicationOf(random, n);
    yield random() < strangers ? { ...application, status: 'on hold?' } : application;
  }
}

function applicationOf(random: Random, n: number): LegacyApplication {
  const workflow = pick(random, Object.keys(WORKFLOWS));
  const way = wayThrough(random, workflow);
  // The oldest ones were imported without their history.
  const history = random() < 0.1 ? {} : { history: historyOf(random, way) };
  const name = `candidate ${n}`;
  return {
    _id: hexId(n),
    job: pick(random, JOBS),
    workflow,
    status: way.at(-1) ?? 'new',
    candidate: {
      name,
      email: `candidate-${n}@example.com`,
      letter: SENTENCE.repeat(between(random, 1, 10)),
    },
    ...history,
  };
}

/** Statuses that it had; some are left out, some go back a step, some come from another workflow. */
function wayThrough(random: Random, workflow: string): string[] {
  const usual = WORKFLOWS[workflow] ?? [];
  const reached = usual.slice(0, between(random, 1, usual.length));
  const way = reached.filter((_, at) => at === 0 || random() > 0.1);
  if (random() < 0.05) way.push(pick(random, ['in-review', 'assessing']));
  if (way.at(-1) !== 'hired' && random() < 0.4) way.push(pick(random, ['rejected', 'withdrawn']));
  return way;
}

function historyOf(random: Random, way: readonly string[]) {
  let at = FIRST + between(random, 0, 57 * 365 * 24) * HOUR;
  return way.map((status) => {
    at += between(random, 1, 400) * HOUR;
    return { status, at: new Date(at), by: pick(random, USERS) };
  });
}
