import { describe, expect, it } from '@jest/globals';
import type { Rollout } from '../rollout/state.ts';
import { ALL, CANARY, planOf, Story } from '../rollout/story.memory.ts';
import { Pulse } from './pulse.ts';

const WATCHED = '{ stage: canary, percentage: 10, hold: 3s, closeIfSilentFor: 10m }';
const watched = new Story([WATCHED, ALL]).opened().state;
const unwatched = new Story([CANARY, ALL]).opened().state;

describe('a heartbeat', () => {
  it('says how many rollouts the instance looks after, and when it last did', () => {
    const pulse = new Pulse('gate-1');
    expect(pulse.beat()).toEqual({ instance: 'gate-1', running: 0 });
    pulse.checked('r-1', unwatched, 2_000);
    pulse.checked('r-2', unwatched, 3_000);
    expect(pulse.beat()).toEqual({ instance: 'gate-1', running: 2, lastCheckAt: 3_000 });
  });

  it('names those that are closed when nobody looks after them, each with its last check', () => {
    const pulse = new Pulse('gate-1');
    pulse.checked('r-1', watched, 2_000);
    pulse.checked('r-2', unwatched, 3_000);
    pulse.checked('r-3', watched, 4_000);
    expect(pulse.beat().lookedAfter).toEqual({ 'r-1': 2_000, 'r-3': 4_000 });
  });

  it('names them still while a later stage opens that does not ask: the earlier one may be open', () => {
    const next = new Story([WATCHED, ALL]).opened().checks(4);
    expect(next.newest('SetExposure')).toMatchObject({ step: 'all' });
    const pulse = new Pulse('gate-1');
    pulse.checked('r-1', next.state, 2_000);
    expect(pulse.beat().lookedAfter).toEqual({ 'r-1': 2_000 });
  });

  it('names nothing that is over, or that somebody else has looked after for half a minute', () => {
    const pulse = new Pulse('gate-1');
    pulse.checked('r-1', watched, 1_000);
    pulse.checked('r-1', new Story([WATCHED]).opened().person('AbortRollout').state, 2_000);
    expect(pulse.beat()).toEqual({ instance: 'gate-1', running: 0, lastCheckAt: 2_000 });
    pulse.checked('r-2', watched, 3_000);
    pulse.over('r-2');
    expect(pulse.beat().running).toBe(0);
    pulse.checked('r-3', watched, 3_000);
    pulse.roundDone(33_000);
    expect(pulse.beat().running).toBe(1);
    pulse.roundDone(33_001);
    expect(pulse.beat()).not.toHaveProperty('lookedAfter');
    expect(pulse.said('bus')).toBeUndefined();
  });

  it('names what is checked less often for as long as three checks take', () => {
    const slow = { ...watched, plan: { ...planOf([WATCHED]), checkEvery: 60_000 } } as Rollout;
    const pulse = new Pulse('gate-1');
    pulse.checked('r-1', slow, 0);
    pulse.roundDone(180_000);
    expect(pulse.beat().running).toBe(1);
    pulse.roundDone(180_001);
    expect(pulse.beat().running).toBe(0);
  });

  it('tells a person nothing of what has opened no stage yet, or whose flag is off', () => {
    const pulse = new Pulse('gate-1');
    pulse.checked('r-1', new Story([WATCHED, ALL]).start().state, 1_000);
    const disabled = { by: 'robin', reason: 'off', at: 1 };
    const off = new Story([WATCHED, ALL]).opened().hears('FlagDisabled', { disabled });
    pulse.checked('r-2', off.state, 1_000);
    expect(pulse.beat().running).toBe(2);
    expect(pulse.said('bus')).toBeUndefined();
  });

  it('remembers what is under way while the store is away: a page a quarter of an hour later names it still', () => {
    const pulse = new Pulse('gate-1');
    pulse.checked('r-1', watched, 1_000);
    pulse.roundDone(1_000);
    pulse.roundFailed();
    pulse.beat();
    expect(pulse.said('store')).toContain('1 rollout is under way here: r-1');
  });

  it('does not say that it looks after what is not judged since a backup was put back', () => {
    const restored = new Story([WATCHED, ALL])
      .opened()
      .tell({ type: 'StoreRestored', data: { epoch: 2 } }, 'metrics-gatekeeper');
    const pulse = new Pulse('gate-1');
    pulse.checked('r-1', restored.state, 2_000);
    expect(pulse.beat()).toEqual({ instance: 'gate-1', running: 1, lastCheckAt: 2_000 });
    pulse.checked('r-1', restored.person('ResumeRollout').state, 3_000);
    expect(pulse.beat().lookedAfter).toEqual({ 'r-1': 3_000 });
  });

  it('does not move the time of a check that fails', () => {
    const pulse = new Pulse('gate-1');
    pulse.checked('r-1', watched, 1_000);
    pulse.failed('r-1', 9_000);
    expect(pulse.beat().lookedAfter).toEqual({ 'r-1': 1_000 });
  });
});

describe('an instance is well', () => {
  it('once a round is complete, and until none has been for ten seconds', () => {
    const pulse = new Pulse('gate-1');
    expect(pulse.isWell(0)).toBe(false);
    pulse.roundDone(1_000);
    expect(pulse.isWell(11_000)).toBe(true);
    expect(pulse.isWell(11_001)).toBe(false);
  });

  it('not when its last round failed', () => {
    const pulse = new Pulse('gate-1');
    pulse.roundDone(1_000);
    pulse.roundFailed();
    expect(pulse.isWell(1_000)).toBe(false);
  });

  it('not while a check fails, until it succeeds or somebody else has taken it over', () => {
    const pulse = new Pulse('gate-1');
    pulse.failed('r-1', 1_000);
    pulse.roundDone(30_000);
    expect(pulse.isWell(30_000)).toBe(false);
    expect(pulse.isWell(31_001)).toBe(true);
    pulse.failed('r-1', 31_001);
    pulse.checked('r-1', watched, 32_000);
    expect(pulse.isWell(32_000)).toBe(true);
  });
});
