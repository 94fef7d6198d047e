import { describe, expect, it } from '@jest/globals';
import { catalogue } from '@tidegate/contracts';
import { exampleOf } from '@tidegate/contracts/testing';
import { alertOf, toldTypes } from './alert.ts';

const told = catalogue.filter(({ type }) => toldTypes.includes(type));

describe('what people are told', () => {
  it('is about messages that exist', () => {
    expect(told.map(({ type }) => type).sort()).toEqual([...toldTypes].sort());
  });

  it.each(told.map((definition) => [definition.type, definition] as const))(
    '%s has a title, a text and no hole in either',
    (_type, definition) => {
      const alert = alertOf(exampleOf(definition));
      expect(alert?.title).toMatch(/\S/);
      expect(alert?.text).toMatch(/\S/);
      expect(`${alert?.title} ${alert?.text}`).not.toMatch(/undefined|NaN|\[object| {2}/);
    },
  );

  it('is critical exactly where somebody must get up', () => {
    const critical = told.filter((each) => alertOf(exampleOf(each))?.severity === 'critical');
    expect(critical.map(({ type }) => type).sort()).toEqual([
      'DeadlineMissed',
      'MessageDeadLettered',
      'MigrationFailed',
      'RollbackStarted',
      'RolloutFailed',
    ]);
    const held = catalogue.find(({ type }) => type === 'RolloutHeld');
    expect(alertOf(exampleOf(held!, { page: true }))?.severity).toBe('critical');
  });

  it('says nothing of what concerns nobody', () => {
    expect(alertOf({ type: 'StepCompleted', key: 'r', data: {} })).toBeUndefined();
  });
});
