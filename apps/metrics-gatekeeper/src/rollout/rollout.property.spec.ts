import { expect, it } from '@jest/globals';
import { definitionOf } from '@tidegate/contracts';
import fc from 'fast-check';
import { isMissingData } from '@tidegate/gates';
import { ALL, CANARY, type Found, GUARDS, Story } from './story.memory.ts';

const STEPS = [
  '{ migrate: order-totals, action: execute, onFailure: revert }',
  CANARY,
  '{ approve: review }',
  ALL.replace(' }', ', deadline: 8s, atDeadline: advance }'),
  '{ bake: overnight, hold: 5s }',
];
/** One more guard, in shadow, and levels that are soon reached. */
const PLAN =
  `${GUARDS}  - { name: trial, judge: immediate, metric: violations, shadow: true }\n` +
  'levels: { notify: 2, hold: 5 }\nrecovery: { within: 5s }\n';
const REVERT = { run: 'r-1.revert.2.order-totals', action: 'revert' };
const MOVES: Readonly<Record<string, (story: Story) => unknown>> = {
  start: (story) => story.start(),
  held: (story) => story.held(),
  'held, disabled': (story) => story.held(true),
  check: (story) => story.check(),
  checks: (story) => story.checks(5),
  'a violation': (story) => story.check({ violations: 1 }),
  'some errors': (story) => story.check({ requests: 100, errors: 4 }),
  'few requests': (story) => story.checks(4, { requests: 3 }),
  'many errors': (story) => story.check({ requests: 500, errors: 60 }),
  ...Object.fromEntries(
    (['down', 'empty', 'nan'] as const).map((answer) => [
      answer,
      (story: Story) => story.check({ answer } satisfies Found),
    ]),
  ),
  ...Object.fromEntries(
    ['HoldFlag', 'SetExposure', 'RestoreFlag', 'RunMigration', 'PauseMigration'].flatMap((type) => [
      [`${type} done`, (story: Story) => story.answered(type)],
      [`${type} done, the first`, (story: Story) => story.answered(type, undefined, 0)],
      [`${type} expired`, (story: Story) => story.answered(type, 'COMMAND_EXPIRED')],
      [`${type} refused`, (story: Story) => story.answered(type, 'NO')],
    ]),
  ),
  ...Object.fromEntries(
    (['Started', 'Resumed', 'Completed'] as const).map((what) => [
      `run ${what}`,
      (story: Story) => story.hears(`Migration${what}`),
    ]),
  ),
  'revert started': (story) => story.hears('MigrationStarted', REVERT),
  'revert completed': (story) => story.hears('MigrationCompleted', REVERT),
  'revert failed': (story) =>
    story.hears('MigrationFailed', { ...REVERT, code: 'NO', message: 'no' }),
  'nothing to revert': (story) => story.answered('RunMigration', 'MIGRATION_NOT_EXECUTED'),
  'run paused': (story) => story.hears('MigrationPaused', { by: 'robin', reason: 'disk' }),
  'run failed': (story) => story.hears('MigrationFailed', { code: 'NO', message: 'no' }),
  'run cancelled': (story) => story.hears('MigrationCancelled', { by: 'robin', reason: 'no' }),
  disabled: (story) =>
    story.hears('FlagDisabled', { disabled: { by: 'robin', reason: 'off', at: 1 } }),
  enabled: (story) => story.hears('FlagEnabled'),
  released: (story) => story.hears('FlagReleased', { reason: 'mine' }),
  approve: (story) => story.approve('review'),
  ...Object.fromEntries(
    (['PauseRollout', 'ResumeRollout', 'PromoteRollout', 'RollBack', 'AbortRollout'] as const).map(
      (type) => [type, (story: Story) => story.person(type)],
    ),
  ),
};

/** The way of a rollout without trouble, so that random moves meet every step of it. */
const PROLOGUES = [
  [],
  ['start', 'held'],
  ['start', 'held', 'RunMigration done', 'run Started'],
  ['start', 'held', 'run Completed', 'check', 'SetExposure done'],
  ['start', 'held', 'run Completed', 'check', 'SetExposure done', 'checks', 'approve'],
  [
    'start',
    'held',
    'run Completed',
    'check',
    'SetExposure done',
    'checks',
    'approve',
    'check',
    'SetExposure done',
  ],
  [
    'start',
    'held',
    'run Completed',
    'check',
    'SetExposure done',
    'many errors',
    'RestoreFlag done',
  ],
  [
    'start',
    'held',
    'run Completed',
    'check',
    'SetExposure done',
    'RollBack',
    'RestoreFlag done',
    'revert started',
  ],
];
const moves = fc.tuple(
  fc.constantFrom(...PROLOGUES),
  fc.array(fc.constantFrom(...Object.keys(MOVES).filter((name) => name !== 'start')), {
    maxLength: 30,
  }),
);

const play = (names: readonly string[], look: (story: Story, before: unknown) => void) => {
  const story = new Story(STEPS, PLAN);
  for (const name of names) {
    if (name !== 'start' && story.state.status === 'absent') continue;
    const before = story.state;
    MOVES[name]?.(story);
    look(story, before);
  }
  return story;
};
const forAll = (check: (names: readonly string[]) => void) =>
  fc.assert(
    fc.property(moves, ([prologue, rest]) => check([...prologue, ...rest])),
    { numRuns: 100 },
  );

it('changes nothing without saying so', () => {
  forAll((names) => {
    let told = 0;
    play(names, ({ messages, state }, before) => {
      if (messages.length === told) expect(state).toBe(before);
      told = messages.length;
    });
  });
});

it('says only what the catalogue lets it say', () => {
  forAll((names) => {
    for (const { type, data } of play(names, () => undefined).messages)
      expect(definitionOf(type)?.schema.safeParse(data).error).toBeUndefined();
  });
});

it('only ever opens: exposure grows until it is put back, and nothing opens after that', () => {
  forAll((names) => {
    const { messages } = play(names, () => undefined);
    let exposed = 0;
    let over = false;
    for (const { type, data } of messages) {
      if (type === 'SetExposure') {
        expect(over).toBe(false);
        expect(data.percentage).toBeGreaterThanOrEqual(exposed);
        exposed = data.percentage ?? 0;
      }
      over ||= ['RollbackStarted', 'RolloutAborted', 'RolloutCompleted'].includes(type);
    }
  });
});

it('ends each rollback as done or as failed once its deadline is over, whatever is answered', () => {
  forAll((names) => {
    const story = play([...names, 'RollBack'], () => undefined);
    if (story.state.status === 'absent') return;
    story.checks(11);
    // Data take as long as they take; then it is over.
    if (story.state.status === 'rolling-back') {
      expect(story.state.rollback.actions).toContainEqual(
        expect.objectContaining({ state: 'under-way', run: expect.any(String) }),
      );
      story.hears('MigrationCompleted', REVERT);
    }
    expect(['rolled-back', 'failed', 'aborted']).toContain(story.state.status);
  });
});

it('names the flag as it first was in every restore, in a generation that only grows', () => {
  forAll((names) => {
    const { messages } = play(names, () => undefined);
    const generations = messages.flatMap(({ type, data }) =>
      type === 'RestoreFlag' ? [data.rollout?.generation ?? 0] : [],
    );
    expect(generations).toEqual([...new Set(generations)].sort((a, b) => a - b));
  });
});

it('reverts only after the flag is back and its own run is paused, what this rollout may have changed', () => {
  forAll((names) => {
    let open: readonly string[] = [];
    for (const { type, data } of play(names, () => undefined).messages) {
      if (type === 'RollbackStarted') open = data.actions;
      if (type === 'RollbackActionDone' && data.outcome !== 'failed')
        open = open.filter((action) => action !== data.action);
      if (type === 'RunMigration' && data.action === 'revert')
        expect(open[0]).toBe('revert-migration/order-totals');
    }
  });
});

const isWatched = (kind: string): boolean => kind === 'stage' || kind === 'bake';

it('leaves no stage or bake but on passing verdicts, for a person, or at a deadline with too little', () => {
  forAll((names) => {
    for (const { type, data } of play(names, () => undefined).messages) {
      if (type !== 'StepCompleted' || !isWatched(data.kind) || data.promotedBy !== undefined)
        continue;
      const acting = data.verdicts.filter(({ shadow }) => !shadow);
      const held = acting.filter(({ outcome }) => outcome !== 'pass');
      expect(acting.map(({ guard }) => guard)).toEqual(['error-rate', 'invariant']);
      expect(
        held.filter(({ outcome, reason }) => outcome === 'breach' || isMissingData(reason)),
      ).toEqual([]);
      if (!data.atDeadline) expect(held).toEqual([]);
      else expect(data.step).toBe('all');
    }
  });
});

it('rolls back in the decision that tells of a breach, and for no guard in shadow', () => {
  forAll((names) => {
    let told = 0;
    play(names, ({ messages }) => {
      const types = messages.slice(told).map(({ type }) => type);
      if (types.includes('ThresholdBreached')) expect(types).toContain('RollbackStarted');
      told = messages.length;
    }).messages.forEach(({ type, data }) => {
      if (type === 'ThresholdBreached') expect(data.guard).not.toBe('trial');
      if (type === 'RolloutHeld') expect(data.message).not.toMatch(/^trial/);
    });
  });
});

it('begins and leaves nothing by itself while its score holds it', () => {
  forAll((names) => {
    play(names, ({ last, state }, before) => {
      const levels = (before as { levels?: { hold?: string } }).levels;
      if (levels?.hold === undefined || !('levels' in state) || state.levels?.hold === undefined)
        return;
      const left = Array.isArray(last) ? last.filter(({ type }) => type === 'StepCompleted') : [];
      for (const { data } of left) expect(data).toHaveProperty('promotedBy');
    });
  });
});

it('judges each recovery once, whatever comes after', () => {
  forAll((names) => {
    const story = play([...names, 'RollBack', 'RestoreFlag done'], () => undefined);
    if (story.state.status === 'absent') return;
    story.checks(30, { requests: 50 });
    const ended = story.count('RolloutRolledBack');
    expect(story.count('RecoveryJudged')).toBeLessThanOrEqual(ended);
    if (story.state.status === 'rolled-back' && story.state.exposed)
      expect(story.state.recovery?.status).toMatch(/^(recovered|persisting)$/);
  });
});
