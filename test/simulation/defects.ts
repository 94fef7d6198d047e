import type { FlagCommand, FlagRecord, OutgoingMessage, Plan } from '@tidegate/contracts';
import { type Command, type Draft, isRejection } from '@tidegate/kernel';
import type { Change, Documents, Execute } from '@tidegate/store';
import type { LivingFlag } from '../../apps/flag-service/src/flag/stored-flag.ts';
import type { Tick } from '../../apps/metrics-gatekeeper/src/rollout/command.ts';
import { RECOVERY } from '../../apps/metrics-gatekeeper/src/rollout/look.ts';
import type { Defect } from './defect.ts';

/** Every way of writing goes through these: what is left out stays as it is. */
function altered<S>(documents: Documents<S>, other: Partial<Documents<S>>): Documents<S> {
  return {
    name: documents.name,
    epoch: documents.epoch,
    load: (id) => documents.load(id),
    save: (id, change, token) => documents.save(id, change, token),
    clear: (id, seqs) => documents.clear(id, seqs),
    owing: (limit) => documents.owing(limit),
    list: (query) => documents.list(query),
    claimDue: (now, forMs, limit) => documents.claimDue(now, forMs, limit),
    ...other,
  };
}

/** Rules that decide on another command than the one that was given. */
const decidingOn =
  (other: (command: Command, state: unknown) => Command): NonNullable<Defect['execute']> =>
  (execute): Execute =>
  (aggregate, id, command) => {
    const { decider } = aggregate;
    const decide: typeof decider.decide = (given, state) =>
      decider.decide(other(given, state) as typeof given, state);
    return execute({ ...aggregate, decider: { ...decider, decide } }, id, command);
  };

/** Rules that see another state than there is. */
const seeing =
  (other: (state: object, command: Command) => object): NonNullable<Defect['execute']> =>
  (execute): Execute =>
  (aggregate, id, command) => {
    const { decider } = aggregate;
    const decide: typeof decider.decide = (given, state) =>
      decider.decide(given, other(state as object, given) as typeof state);
    return execute({ ...aggregate, decider: { ...decider, decide } }, id, command);
  };

function reliedOnByNobody(state: { reliedOn?: unknown }): object {
  const { reliedOn: _reliedOn, ...rest } = state;
  return rest;
}

/** Rules that leave a part of what they decide undone. */
const dropping =
  (isDropped: (draft: Draft) => boolean): NonNullable<Defect['execute']> =>
  (execute): Execute =>
  (aggregate, id, command) => {
    const { decider } = aggregate;
    const decide: typeof decider.decide = (given, state) => {
      const decision = decider.decide(given, state);
      return isRejection(decision) ? decision : decision.filter((draft) => !isDropped(draft));
    };
    return execute({ ...aggregate, decider: { ...decider, decide } }, id, command);
  };

const inGeneration = (command: Command, state: unknown): Command => {
  if (command.type !== 'SetExposure') return command;
  const { rollout } = command.data as Partial<FlagCommand['data']> & { rollout?: { id: string } };
  const held = (state as Partial<LivingFlag>).hold?.rollout;
  return held !== undefined && held.id === rollout?.id
    ? { ...command, data: { ...(command.data as object), rollout: held } }
    : command;
};

const tickWith =
  (other: (evidence: Tick['data']['evidence'], at: number) => Tick['data']['evidence']) =>
  (command: Command): Command => {
    if (command.type !== 'Tick') return command;
    const { evidence } = (command as Tick).data;
    return { ...command, data: { evidence: other(evidence, command.metadata.at) } };
  };

type GuardEvidence = Tick['data']['evidence']['guards'][string];
const eachGuard =
  (other: (guard: GuardEvidence, at: number) => GuardEvidence) =>
  (evidence: Tick['data']['evidence'], at: number): Tick['data']['evidence'] => ({
    ...evidence,
    guards: Object.fromEntries(
      Object.entries(evidence.guards).map(([name, guard]) => [name, other(guard, at)]),
    ),
  });

/** A rollout with another plan than it has. */
const planned =
  (other: (plan: Plan) => Plan) =>
  (state: object): object =>
    'plan' in state && 'hash' in state ? { ...state, plan: other(state.plan as Plan) } : state;

const notCompared = (guard: Plan['guards'][number]): Plan['guards'][number] => {
  if (guard.judge !== 'sequential') return guard;
  const { margin: _margin, ...rest } = guard;
  return { ...rest, detect: 0.08 };
};

const withoutErrors = ({ windows, ...guard }: GuardEvidence): GuardEvidence =>
  windows
    ? {
        ...guard,
        windows: {
          ...windows,
          rows: windows.rows.map(([start, , ...rest]) => [start, 0, ...rest] as const),
        },
      }
    : guard;

/** Takes what comes last for the newest. */
class LastComesLast {
  readonly #records = new Map<string, FlagRecord>();

  apply(record: FlagRecord): boolean {
    this.#records.set(record.key, record);
    return true;
  }

  get(key: string): FlagRecord | undefined {
    return this.#records.get(key);
  }
}

const without = (change: Change<never>, isDropped: (message: OutgoingMessage) => boolean) => ({
  ...change,
  outbox: change.outbox.filter((message) => !isDropped(message)),
});

/** Name → a way to be wrong, and the promises that it breaks. */
export const defects: Readonly<
  Record<string, { readonly breaks: RegExp; readonly defect: Defect }>
> = {
  'what was handled is forgotten': {
    breaks: /^P[12]/,
    defect: {
      documents: (documents) =>
        altered(documents, {
          load: async (id) => {
            const document = await documents.load(id);
            return document && { ...document, handled: [] };
          },
        }),
    },
  },
  'a save does not look at the version': {
    breaks: /^P[1-3]/,
    defect: {
      documents: (documents) =>
        altered(documents, {
          save: async (id, change) =>
            documents.save(id, change, (await documents.load(id))?.token ?? 0),
        }),
    },
  },
  'it is published before it is saved': {
    breaks: /^P[1-3]/,
    defect: {
      documents: (documents, _life, publish) =>
        altered(documents, {
          save: async (id, change, token) => {
            await publish(change.outbox);
            return documents.save(id, change, token);
          },
        }),
    },
  },
  'the outbox is cleared before it is published': {
    breaks: /^P[12]/,
    defect: {
      documents: (documents) =>
        altered(documents, {
          save: async (id, change, token) => {
            const document = await documents.save(id, change, token);
            const seqs = document.outbox.map(({ seq }) => seq);
            await documents.clear(id, seqs);
            return document;
          },
        }),
    },
  },
  'nobody relays what a crash has left': {
    breaks: /^(P[12]|liveness)/,
    defect: { neverRelays: true },
  },
  'a lane is published backwards': {
    breaks: /^P[13]/,
    defect: { publish: (publish) => (messages) => publish(messages.toReversed()) },
  },
  'the position is committed before the record is handled': {
    breaks: /^(P[24]|liveness)/,
    defect: { commitsFirst: true },
  },
  'an old generation is let through': {
    breaks: /^P[47]/,
    defect: { execute: decidingOn(inGeneration) },
  },
  'a view takes what comes last for the newest': {
    breaks: /^P3/,
    defect: { holder: () => new LastComesLast() },
  },
  'a command never comes too late': {
    breaks: /^P2/,
    defect: {
      execute: (execute, clock) => (aggregate, id, command) =>
        execute(
          {
            ...aggregate,
            decider: {
              ...aggregate.decider,
              decide: (given, state) =>
                aggregate.decider.decide({ ...given, metadata: command.metadata }, state),
            },
          },
          id,
          {
            ...command,
            metadata: { ...command.metadata, at: Math.max(command.metadata.at, clock.now()) },
          },
        ),
    },
  },
  'missing data are taken for good ones': {
    breaks: /^P5/,
    defect: {
      execute: decidingOn(
        tickWith((evidence, at) =>
          eachGuard((guard) => ({ ...guard, missing: null, lastSuccessAt: at }))(evidence, at),
        ),
      ),
    },
  },
  'holding time is counted from the opening, whatever was seen': {
    breaks: /^P5/,
    defect: {
      execute: decidingOn(
        tickWith((evidence, at) => ({
          ...evidence,
          coveredMs: at - evidence.openedAt,
          lastSuccessAt: evidence.lastSuccessAt ?? at,
        })),
      ),
    },
  },
  'errors are not counted': {
    breaks: /^P5/,
    defect: { execute: decidingOn(tickWith(eachGuard(withoutErrors))) },
  },
  'what both arms suffer from is rolled back': {
    breaks: /^P5: a healthy service/,
    defect: {
      execute: seeing(planned((plan) => ({ ...plan, guards: plan.guards.map(notCompared) }))),
    },
  },
  'a guard in shadow acts': {
    breaks: /^P5: trial, in shadow/,
    defect: {
      execute: seeing(
        planned((plan) => ({
          ...plan,
          guards: plan.guards.map((guard) => ({ ...guard, shadow: false })),
        })),
      ),
    },
  },
  'a breach is told and not acted on': {
    breaks: /^(P5: r-\d was breached and not rolled back|liveness)/,
    defect: { execute: dropping(({ type }) => ['RollbackStarted', 'RestoreFlag'].includes(type)) },
  },
  'a bake is over at once': {
    breaks: /^P5: r-\d left overnight after/,
    defect: {
      execute: seeing(
        planned((plan) => ({
          ...plan,
          steps: plan.steps.map((step) => ('bake' in step ? { ...step, hold: 0 } : step)),
        })),
      ),
    },
  },
  'a rollback has helped, whatever was seen since': {
    breaks: /^P5: r-\d recovered unseen/,
    defect: {
      execute: decidingOn(
        tickWith((evidence, at) =>
          evidence.stage === RECOVERY
            ? {
                ...eachGuard((guard) => ({ ...guard, missing: null, lastSuccessAt: at }))(
                  evidence,
                  at,
                ),
                coveredMs: Number.MAX_VALUE,
              }
            : evidence,
        ),
      ),
    },
  },
  'a rollback closes the flag instead of restoring it': {
    breaks: /^P[47]/,
    defect: {
      execute: decidingOn((command) => {
        if (command.type !== 'RestoreFlag') return command;
        const data = command.data as { definition: { exposure: object } };
        const exposure = { ...data.definition.exposure, percentage: 0 };
        return { ...command, data: { ...data, definition: { ...data.definition, exposure } } };
      }),
    },
  },
  'missing data page nobody': {
    breaks: /^P5/,
    defect: {
      execute: dropping(
        ({ type, data }) => type === 'RolloutHeld' && (data as { page: boolean }).page,
      ),
    },
  },
  'a rollback that fails pages nobody': {
    breaks: /^P4/,
    defect: {
      execute: dropping(
        ({ type, data }) =>
          ['RolloutFailed', 'DeadlineMissed'].includes(type) ||
          (type === 'RolloutHeld' && (data as { page: boolean }).page),
      ),
    },
  },
  'answers of refused commands are left out': {
    breaks: /^(P2|liveness)/,
    defect: {
      documents: (documents) =>
        altered(documents, {
          save: (id, change, token) =>
            documents.save(
              id,
              without(
                change as Change<never>,
                ({ data }) => (data as { outcome?: string }).outcome === 'refused',
              ),
              token,
            ),
        }),
    },
  },
  'what a rollout relies on is edited': {
    breaks: /^P7/,
    defect: {
      execute: seeing((state, { type }) =>
        type.startsWith('Put') ? reliedOnByNobody(state) : state,
      ),
    },
  },
  'a stage opens although what its flag refers to is not held': {
    breaks: /^P7/,
    defect: {
      execute: dropping(
        ({ type, data }) =>
          type === 'HoldSegment' ||
          (type === 'HoldFlag' && (data as { asReference?: boolean }).asReference === true),
      ),
    },
  },
  'what a rollout relied on is never let go': {
    breaks: /^P7/,
    defect: { execute: dropping(({ type }) => type === 'ReleaseSegment') },
  },
  'a rollout does not notice what becomes of what it relies on': {
    breaks: /^P7/,
    defect: {
      execute: dropping(({ type }) => type === 'ReferenceObserved' || type === 'RolloutPaused'),
    },
  },
  'nobody closes what is silent': { breaks: /^P10/, defect: { neverCloses: true } },
  'a stage closes although it is looked after': { breaks: /^P10/, defect: { isDeaf: true } },
  'a rollout does not notice that its stage has closed itself': {
    breaks: /^P10/,
    defect: {
      execute: decidingOn((command) => {
        const said = command.data as { type?: string; data?: object };
        return command.type === 'RecordEvent' && said.type === 'FlagDisabled'
          ? { ...command, data: { ...said, type: 'FlagEnabled' } }
          : command;
      }),
    },
  },
  'an edit draws a new salt': {
    breaks: /^P[17]/,
    defect: {
      execute: (execute) => (aggregate, id, command) => {
        const { decider } = aggregate;
        const decide: typeof decider.decide = (given, state) => {
          const decision = decider.decide(given, state);
          return !isRejection(decision) && given.type === 'PutFlag'
            ? decision.map((draft) => salted(draft, given.metadata.id))
            : decision;
        };
        return execute({ ...aggregate, decider: { ...decider, decide } }, id, command);
      },
    },
  },
};

function salted<M extends { readonly data: unknown }>(draft: M, salt: string): M {
  const data = draft.data as { after?: object };
  return data.after ? { ...draft, data: { ...data, after: { ...data.after, salt } } } : draft;
}
