import { expect, it } from '@jest/globals';
import { definitionOf } from '@tidegate/contracts';
import fc from 'fast-check';
import { ALL, CANARY, type Found, Story } from './story.memory.ts';

const STEPS = ['{ migrate: order-totals, action: execute }', CANARY, '{ approve: review }', ALL];
const MOVES: Readonly<Record<string, (story: Story) => unknown>> = {
  start: (story) => story.start(),
  held: (story) => story.held(),
  'held, disabled': (story) => story.held(true),
  check: (story) => story.check(),
  checks: (story) => story.checks(5),
  'a violation': (story) => story.check({ violations: 1 }),
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
];
const moves = fc.tuple(
  fc.constantFrom(...PROLOGUES),
  fc.array(fc.constantFrom(...Object.keys(MOVES).filter((name) => name !== 'start')), {
    maxLength: 30,
  }),
);

const play = (names: readonly string[], look: (story: Story, before: unknown) => void) => {
  const story = new Story(STEPS);
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
    { numRuns: 150 },
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

it('leaves no stage but on passing verdicts or for a person', () => {
  forAll((names) => {
    for (const { type, data } of play(names, () => undefined).messages)
      if (type === 'StepCompleted' && data.kind === 'stage' && data.promotedBy === undefined)
        expect(data.verdicts.map(({ outcome }) => outcome)).toEqual(['pass', 'pass']);
  });
});
