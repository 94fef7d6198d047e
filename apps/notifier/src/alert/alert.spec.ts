import { describe, expect, it } from '@jest/globals';
import { catalogue, FlagDisabled } from '@tidegate/contracts';
import { exampleOf } from '@tidegate/contracts/testing';
import { alertOf, toldTypes } from './alert.ts';

const byType = Object.fromEntries(catalogue.map((definition) => [definition.type, definition]));
const told = catalogue.filter(({ type }) => toldTypes.includes(type));
const because = 'metrics-gatekeeper has not looked after rollout r-1 for 10m';
const closedItself = {
  disabled: { by: 'flag-service', at: 7, reason: because },
  rollout: { id: 'r-1', generation: 1 },
};
/** An example that is told, where the published one is not. */
const changed: Readonly<Record<string, Record<string, unknown>>> = {
  FlagDisabled: closedItself,
  MigrationPaused: { because: 'store-restored' },
};
const example = (definition: (typeof catalogue)[number]) =>
  exampleOf(definition, changed[definition.type] ?? {});

describe('what people are told', () => {
  it('is about messages that exist', () => {
    expect(told.map(({ type }) => type).sort()).toEqual([...toldTypes].sort());
  });

  it.each(told.map((definition) => [definition.type, definition] as const))(
    '%s has a title, a text and no hole in either',
    (_type, definition) => {
      const alert = alertOf(example(definition));
      expect(alert?.title).toMatch(/\S/);
      expect(alert?.text).toMatch(/\S/);
      expect(`${alert?.title} ${alert?.text}`).not.toMatch(/undefined|NaN|\[object| {2}/);
    },
  );

  it('is critical exactly where somebody must get up', () => {
    const critical = told.filter((each) => alertOf(example(each))?.severity === 'critical');
    expect(critical.map(({ type }) => type).sort()).toEqual([
      'DeadlineMissed',
      'FlagDisabled',
      'MessageDeadLettered',
      'MigrationFailed',
      'MigrationPaused',
      'RollbackStarted',
      'RolloutFailed',
    ]);
    const paused = catalogue.find(({ type }) => type === 'RolloutPaused');
    expect(alertOf(exampleOf(paused!, { because: 'store-restored' }))?.severity).toBe('critical');
    expect(alertOf(exampleOf(paused!))?.severity).toBe('warning');
    const held = catalogue.find(({ type }) => type === 'RolloutHeld');
    expect(alertOf(exampleOf(held!, { page: true }))?.severity).toBe('critical');
  });

  it('is a score of risk by its level, each time that it rises, and not once more as a hold', () => {
    const { RiskLevelReached, RolloutHeld } = byType;
    const notify = alertOf(exampleOf(RiskLevelReached!, { level: 'notify' }));
    const hold = alertOf(exampleOf(RiskLevelReached!, { level: 'hold', score: 21 }));
    expect([notify?.severity, hold?.severity]).toEqual(['warning', 'critical']);
    const again = alertOf(exampleOf(RiskLevelReached!, { level: 'hold', score: 23 }));
    expect(again?.fingerprint).not.toBe(hold?.fingerprint);
    const held = exampleOf(RolloutHeld!, { reason: 'risk-level', page: true });
    expect(alertOf(held)).toBeUndefined();
  });

  it('is whether a rollback has helped: loud if not', () => {
    const { RecoveryJudged } = byType;
    const persisting = { outcome: 'persisting', page: true };
    expect(alertOf(exampleOf(RecoveryJudged!))?.severity).toBe('info');
    expect(alertOf(exampleOf(RecoveryJudged!, persisting))).toMatchObject({
      severity: 'critical',
      title: 'demo-healthy in production is rolled back, and its metrics are not good again',
    });
  });

  it('is what a guard in shadow would have done, as news', () => {
    const { GuardWouldBreach } = byType;
    expect(alertOf(exampleOf(GuardWouldBreach!))).toMatchObject({
      severity: 'info',
      title: 'error-rate, in shadow, would have rolled back demo-healthy in production',
    });
  });

  it('is why a stage has closed itself, each time, and nothing of what people disable', () => {
    const once = alertOf(exampleOf(FlagDisabled, closedItself));
    expect(once).toMatchObject({
      title: 'checkout-v2 in production has closed itself',
      text: because,
      labels: { event: 'FlagDisabled', environment: 'production' },
    });
    expect(once?.labels).toMatchObject({ flag: 'checkout-v2', rollout: 'r-1' });
    const later = { disabled: { ...closedItself.disabled, at: 8 } };
    expect(alertOf(exampleOf(FlagDisabled, later))?.fingerprint).not.toBe(once?.fingerprint);
    expect(alertOf(exampleOf(FlagDisabled, closedItself))).toEqual(once);
    expect(alertOf(exampleOf(FlagDisabled))).toBeUndefined();
  });

  it('says nothing of what concerns nobody', () => {
    expect(alertOf({ type: 'StepCompleted', key: 'r', data: {} })).toBeUndefined();
  });
});
