import { expect } from '@jest/globals';
import { OpenFeature } from '@openfeature/server-sdk';
import { type Step, step } from './steps.ts';
import type { World } from './world.ts';

const FIELDS = {
  flag_key: 'flagKey',
  value: 'value',
  variant: 'variant',
  reason: 'reason',
  error_code: 'errorCode',
} as const;

const valueOf = (type: string, value: string): unknown =>
  value === 'null' ? undefined : type === 'string' ? value : JSON.parse(value);
const stagesOf = ({ hooked }: World): string[] => hooked.map(({ stage }) => stage);

function addContext(world: World, level: string, key: string, value: string): void {
  switch (level) {
    case 'API':
      OpenFeature.setContext({ ...OpenFeature.getContext(), [key]: value });
      break;
    case 'Transaction':
      world.transaction[key] = value;
      break;
    case 'Client': {
      const { client } = world;
      world.clientContext[key] = value;
      client.setContext(world.clientContext);
      break;
    }
    case 'Invocation':
      world.invocation[key] = value;
      break;
    case 'Before Hooks':
      world.options = {
        hooks: [...(world.options.hooks ?? []), { before: () => ({ [key]: value }) }],
      };
      break;
    default:
      throw new Error(`There is no level ${level}.`);
  }
}

export const hookSteps: readonly Step[] = [
  step('a stable provider with retrievable context is registered', (world) =>
    world.register('stable'),
  ),
  step(
    'A context entry with key … and value … is added to the … level',
    (world, [key = '', value = '', level = '']) => {
      addContext(world, level, key, value);
    },
  ),
  step('A table with levels of increasing precedence', (world, _, rows) => {
    world.levels = rows.map(([level = '']) => level);
  }),
  step(
    'Context entries for each level from API level down to the … level, with key … and value …',
    (world, [last = '', key = '']) => {
      for (const level of world.levels.slice(0, world.levels.indexOf(last) + 1))
        addContext(world, level, key, level);
    },
  ),
  step('Some flag was evaluated', (world) => world.evaluated()),
  step(
    'The merged context contains an entry with key … and value …',
    ({ asked }, [key = '', value]) => {
      expect(asked.at(-1)).toMatchObject({ [key]: value });
    },
  ),
  step('a client with added hook', (world) => {
    world.options = { hooks: [] };
    OpenFeature.addHooks(world.hook());
  }),
  step('the … hook should have been executed', (world, [stage]) => {
    expect(stagesOf(world)).toContain(stage);
  }),
  step(
    'the … hooks should be called with evaluation details',
    ({ hooked }, [stages = ''], [, ...rows]) => {
      for (const stage of stages.split(', ')) {
        const details = hooked.find((each) => each.stage === stage)?.details;
        for (const [type = '', key = '', value = ''] of rows)
          expect(details?.[FIELDS[key as keyof typeof FIELDS]]).toEqual(valueOf(type, value));
      }
    },
  ),
  step('evaluation options containing specific hooks', (world) => {
    world.options = { hooks: [world.hook('first '), world.hook('second ')] };
  }),
  step('the flag was evaluated with details using the evaluation options', (world) =>
    world.evaluated(),
  ),
  step('the specified hooks should execute during evaluation', (world) => {
    expect(stagesOf(world)).toEqual(
      expect.arrayContaining(['first before', 'second before', 'first finally', 'second finally']),
    );
  }),
  step('the hook order should be maintained', (world) => {
    expect(stagesOf(world)).toEqual([
      'first before',
      'second before',
      'second after',
      'first after',
      'second finally',
      'first finally',
    ]);
  }),
];
