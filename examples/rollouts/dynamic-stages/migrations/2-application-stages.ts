import { defineMigration } from '@tidegate/migration';

type Workflow = 'standard' | 'executive' | 'internship';
type StageKey = 'applied' | 'screening' | 'interview' | 'assessment' | 'board' | 'offer' | 'hired';
type Outcome = 'rejected' | 'withdrawn';

/** A document of `applications`. The fields from `stages` on are those that this migration adds. */
type Application = {
  readonly _id: unknown;
  readonly job: string;
  readonly workflow: Workflow;
  /** What programs without dynamic stages read and write; it stays. */
  readonly status: string;
  readonly history?:
    readonly { readonly status: string; readonly at: Date; readonly by: string }[] | null;
  readonly stages?: readonly Stage[];
  readonly currentStage?: StageKey | null;
  readonly outcome?: Outcome;
  readonly stagesVersion?: number;
};

interface Stage {
  readonly key: StageKey;
  readonly label: string;
  readonly state: 'done' | 'skipped' | 'current' | 'closed' | 'open';
  readonly enteredAt: Date | null;
  readonly enteredBy: string | null;
  readonly dueAfterHours: number;
  readonly visibleTo: readonly string[];
  readonly form: readonly Field[];
  readonly checklist: readonly { readonly text: string; readonly done: boolean }[];
}

interface Field {
  readonly key: string;
  readonly label: string;
  readonly type: 'text' | 'number' | 'date' | 'choice';
  readonly required: boolean;
  readonly hint: string;
  readonly value: null;
}

/** In the order in which an application goes through them. `status` is what the old programs call being there. */
const STAGES: readonly {
  readonly key: StageKey;
  readonly status: string;
  readonly label: string;
  readonly dueAfterHours: number;
  readonly visibleTo: readonly string[];
  /** `salary:number`, or text. */
  readonly form: string;
  readonly checklist: readonly string[];
}[] = [
  {
    key: 'applied',
    status: 'new',
    label: 'Applied',
    dueAfterHours: 48,
    visibleTo: ['recruiter', 'coordinator'],
    form: 'source referrer earliest-start:date salary-expectation:number notice-period',
    checklist: [
      'The candidate has got a confirmation of receipt, in the language of the application.',
      'The application is complete: résumé, cover letter, and the consent to keep both.',
      'Nobody with the same e-mail address has applied for this job within the last six months.',
    ],
  },
  {
    key: 'screening',
    status: 'in-review',
    label: 'Screening',
    dueAfterHours: 120,
    visibleTo: ['recruiter', 'hiring-manager'],
    form: 'experience-years:number languages work-permit:choice remote:choice summary',
    checklist: [
      'The requirements that the advertisement calls necessary are met, each with where it is shown.',
      'A second recruiter has looked at the application without knowing what the first one wrote.',
      'The candidate knows the next step and by when it is done.',
    ],
  },
  {
    key: 'interview',
    status: 'interviewing',
    label: 'Interview',
    dueAfterHours: 336,
    visibleTo: ['recruiter', 'hiring-manager', 'interviewer'],
    form: 'date:date interviewers format:choice technical-score:number team-score:number',
    checklist: [
      'Interviewers have the guide for this job and have agreed who asks what.',
      'Each interviewer has written an assessment before hearing those of the others.',
      'Travel expenses are paid back, and the candidate was thanked within two days.',
    ],
  },
  {
    key: 'assessment',
    status: 'assessing',
    label: 'Assessment',
    dueAfterHours: 240,
    visibleTo: ['recruiter', 'hiring-manager', 'assessor'],
    form: 'case-study case-score:number references reference-score:number risks',
    checklist: [
      'The case study is one that this candidate cannot have seen before.',
      'Two references were spoken to, one of whom the candidate has reported to.',
      'The assessor has stated what would have led to another result.',
    ],
  },
  {
    key: 'board',
    status: 'with-board',
    label: 'Board',
    dueAfterHours: 720,
    visibleTo: ['recruiter', 'board'],
    form: 'meeting:date votes-for:number votes-against:number conditions minutes',
    checklist: [
      'Members of the board have had the documents for at least five working days.',
      'Who has an interest in the decision has left the room, and that stands in the minutes.',
      'The conditions of the board are ones that the offer can state.',
    ],
  },
  {
    key: 'offer',
    status: 'offer-made',
    label: 'Offer',
    dueAfterHours: 168,
    visibleTo: ['recruiter', 'hiring-manager', 'payroll'],
    form: 'salary:number bonus:number start:date contract:choice valid-until:date',
    checklist: [
      'The offer is within the band of the job, or the head of the department has approved it.',
      'The contract names the place of work and what was agreed about working elsewhere.',
      'A person has called the candidate before the offer was sent.',
    ],
  },
  {
    key: 'hired',
    status: 'hired',
    label: 'Hired',
    dueAfterHours: 2_160,
    visibleTo: ['recruiter', 'hiring-manager', 'payroll', 'it'],
    form: 'first-day:date employee-number mentor equipment:choice probation-ends:date',
    checklist: [
      'The signed contract is with payroll, and the copy with the employee.',
      'Accounts and equipment are ordered, so that they are there on the first day.',
      'The other candidates for the job have got an answer.',
    ],
  },
];

const WORKFLOWS: Readonly<Record<Workflow, readonly StageKey[]>> = {
  standard: ['applied', 'screening', 'interview', 'offer', 'hired'],
  executive: ['applied', 'screening', 'interview', 'assessment', 'board', 'offer', 'hired'],
  internship: ['applied', 'interview', 'hired'],
};
const OUTCOMES: readonly string[] = ['rejected', 'withdrawn'] satisfies Outcome[];

const isOutcome = (status: string): status is Outcome => OUTCOMES.includes(status);
const keyOf = (status: string): StageKey | undefined =>
  STAGES.find((stage) => stage.status === status)?.key;
const indexOf = (key: StageKey): number => STAGES.findIndex((stage) => stage.key === key);

/** Where the application is, or was when it ended. */
function placeOf({ status, history }: Application): StageKey {
  const here = keyOf(status);
  if (here !== undefined) return here;
  if (!isOutcome(status)) throw new Error(`there is no stage for the status "${status}"`);
  const visited = (history ?? []).flatMap((entry) => keyOf(entry.status) ?? []);
  return visited.at(-1) ?? 'applied';
}

function stagesOf(application: Application): readonly Stage[] {
  const { workflow, status, history } = application;
  const place = placeOf(application);
  const entries = new Map((history ?? []).map((entry) => [keyOf(entry.status), entry]));
  const usual = WORKFLOWS[workflow];
  if (usual === undefined) throw new Error(`there is no workflow "${workflow}"`);
  return STAGES.filter(({ key }) => usual.includes(key) || entries.has(key) || key === place).map(
    ({ key, label, dueAfterHours, visibleTo, form, checklist }) => {
      const entry = entries.get(key);
      return {
        key,
        label,
        state: stateOf(key, place, isOutcome(status), entry !== undefined),
        enteredAt: entry?.at ?? null,
        enteredBy: entry?.by ?? null,
        dueAfterHours,
        visibleTo,
        form: form.split(' ').map(fieldOf),
        checklist: checklist.map((text) => ({ text, done: false })),
      };
    },
  );
}

function stateOf(
  key: StageKey,
  place: StageKey,
  isOver: boolean,
  isEntered: boolean,
): Stage['state'] {
  if (key === place) return isOver ? 'closed' : 'current';
  if (indexOf(key) > indexOf(place)) return 'open';
  return isEntered ? 'done' : 'skipped';
}

function fieldOf(text: string): Field {
  const [key = text, type = 'text'] = text.split(':');
  const label = `${key[0]?.toUpperCase()}${key.slice(1).replaceAll('-', ' ')}`;
  const required = type !== 'text';
  const hint = required ? 'Needed before the next stage.' : 'May be left empty for now.';
  return { key, label, type: type as Field['type'], required, hint, value: null };
}

/** What programs without dynamic stages would have to read. */
const legacyStatusOf = ({ outcome, currentStage }: Application): string | undefined =>
  outcome ?? STAGES.find(({ key }) => key === currentStage)?.status;

const isMigrated = ({ stagesVersion }: Application): boolean => stagesVersion === 1;

const rejected: Application = {
  _id: '3',
  job: 'nurse',
  workflow: 'internship',
  status: 'rejected',
  history: [
    { status: 'new', at: new Date('1969-12-31T23:00:00Z'), by: 'import' },
    { status: 'in-review', at: new Date('2025-02-03T10:00:00Z'), by: 'kim' },
    { status: 'rejected', at: new Date('2025-02-05T10:00:00Z'), by: 'kim' },
  ],
};

export default defineMigration<Application>({
  id: 'application-stages',
  description: 'Gives each application the stages of its workflow; status stays what it was.',
  target: 'recruiting',
  collection: 'applications',
  dependsOn: ['application-stages-indexes'],
  pending: { stagesVersion: { equals: null } },
  reads: ['status', 'workflow', 'history'],
  up: (application) => {
    if (isMigrated(application)) return application;
    if (application.stages) throw new Error('there are stages already, and not of this version');
    return {
      ...application,
      stages: stagesOf(application),
      currentStage: placeOf(application),
      ...(isOutcome(application.status) ? { outcome: application.status } : {}),
      stagesVersion: 1,
    };
  },
  down: ({ stages: _s, currentStage: _c, outcome: _o, stagesVersion: _v, ...legacy }) => legacy,
  invariants: [
    {
      name: 'status-is-the-legacy-reading-of-stages',
      holds: (application) =>
        !isMigrated(application) || legacyStatusOf(application) === application.status,
    },
    {
      name: 'application-is-at-one-stage',
      holds: (application) =>
        !isMigrated(application) ||
        application.stages?.filter(({ state }) => state === 'current' || state === 'closed')
          .length === 1,
    },
    {
      name: 'stages-are-in-order-and-there-once',
      holds: ({ stages }) =>
        !stages ||
        stages.every(
          ({ key }, at) => at === 0 || indexOf(key) > indexOf(stages[at - 1]?.key ?? key),
        ),
    },
  ],
  preserved: [{ name: 'status', of: ({ status }) => status }],
  groupBy: ({ status }) => status,
  mapping: ({ status, stagesVersion, currentStage, outcome }) =>
    stagesVersion === 1 ? `${currentStage}${outcome ? ` (${outcome})` : ''}` : status,
  samples: [
    { _id: '1', job: 'cook', workflow: 'standard', status: 'new' },
    {
      _id: '2',
      job: 'director',
      workflow: 'executive',
      status: 'with-board',
      history: [
        { status: 'new', at: new Date('2024-11-01T09:00:00Z'), by: 'import' },
        { status: 'interviewing', at: new Date('2024-12-01T09:00:00Z'), by: 'alex' },
        { status: 'with-board', at: new Date('2025-01-15T09:00:00Z'), by: 'alex' },
      ],
    },
    rejected,
  ],
});
