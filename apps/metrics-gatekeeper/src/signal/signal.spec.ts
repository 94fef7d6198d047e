import { describe, expect, it } from '@jest/globals';
import { isRejection } from '@tidegate/kernel';
import { specification } from '@tidegate/kernel/testing';
import {
  type CountSignal,
  MOST_LABEL_SETS,
  type Signal,
  signalDecider,
  totalAt,
} from './signal.ts';

const NOW = 1_790_000_000_000;
const DAY = 86_400_000;
const given = specification(signalDecider);

interface Said {
  readonly count?: number;
  readonly labels?: Record<string, string>;
  readonly reportedAt?: number;
  readonly at?: number;
}
function report({ count = 1, labels = {}, reportedAt = NOW, at = NOW }: Said = {}): CountSignal {
  const metadata = { id: 'm-1', source: 'shop', at, actor: 'shop', correlationId: 'm-1' };
  const data = { environment: 'production', signal: 'complaint', count, labels };
  const message = {
    type: 'SignalReported' as const,
    key: 'production/complaint',
    data,
    metadata: { ...metadata, at: reportedAt },
  };
  return { type: 'CountSignal', data: message, metadata };
}
const counted = ({ count = 1, labels = {}, reportedAt = NOW }: Said, total: number) => ({
  type: 'SignalCounted' as const,
  data: { environment: 'production', signal: 'complaint', labels, count, total, reportedAt },
});
const series = (labels: Record<string, string>) =>
  `complaint{${Object.entries(labels)
    .map(([label, value]) => `${label}="${value}"`)
    .join(',')}}`;

const after = (...said: Said[]): Signal =>
  said.reduce<Signal>((state, each) => {
    const command = report(each);
    const decision = signalDecider.decide(command, state);
    if (isRejection(decision)) throw new Error(decision.message);
    return decision.reduce(
      (before, draft) =>
        signalDecider.evolve(before, { ...draft, metadata: { id: 'f', at: command.metadata.at } }),
      state,
    );
  }, signalDecider.initial);

describe('a signal', () => {
  it('is counted by its labels, whatever their order', () => {
    const [one, other] = [
      { area: 'pay', tier: 'a' },
      { tier: 'a', area: 'pay' },
    ];
    given([counted({ labels: one }, 1), counted({ count: 3 }, 3)])
      .when(report({ labels: other, count: 2 }))
      .then([counted({ labels: other, count: 2 }, 3)]);
  });

  it('of nothing counts nothing', () => {
    given([])
      .when(report({ count: 0 }))
      .then([]);
  });

  it('that claims to come from the future has happened now', () => {
    given([])
      .when(report({ reportedAt: NOW + DAY }))
      .then([counted({}, 1)]);
  });

  it('is refused with labels that are no labels: too many, or too long', () => {
    const many = Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`l${i}`, 'x']));
    for (const labels of [many, { text: 'x'.repeat(500) }])
      given([]).when(report({ labels })).thenRejected('SIGNAL_LABELS_TOO_LARGE');
  });

  const orders = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ labels: { order: String(i) } }));

  it('is refused with labels that are new each time, in words that say what to do', () => {
    const full = orders(MOST_LABEL_SETS).map((each) => counted(each, 1));
    const refused = given(full).when(report({ labels: { order: '100' } }));
    refused.thenRejected('SIGNAL_LABELS_TOO_MANY');
    expect(refused.decision).toMatchObject({
      message: expect.stringContaining('{"order":"100"} would be one more'),
    });
    // What is known goes on counting.
    given(full)
      .when(report({ labels: { order: '7' } }))
      .thenTypes('SignalCounted');
  });

  it('makes room where labels have not been reported for a month', () => {
    const full = after(...orders(MOST_LABEL_SETS));
    const later = report({
      labels: { order: 'new' },
      at: NOW + 30 * DAY,
      reportedAt: NOW + 30 * DAY,
    });
    expect(signalDecider.decide(later, full)).toHaveLength(1);
  });
});

describe('what had been reported by an instant', () => {
  const at = (state: Signal, instant: number): number => {
    const [set] = Object.values(state.sets);
    if (!set) throw new Error('nothing was counted');
    return totalAt(set, instant);
  };

  it('is told by when it was reported, not by when it was counted', () => {
    const state = after(
      { reportedAt: NOW - 5_000 },
      { reportedAt: NOW + 1, at: NOW + 10, count: 4 },
      // It waited while the store was away.
      { reportedAt: NOW - 3_000, at: NOW + 20, count: 2 },
    );
    expect([NOW - 6_000, NOW - 4_000, NOW, NOW + 20].map((each) => at(state, each))).toEqual([
      0, 1, 3, 7,
    ]);
  });

  it('takes no more room for many reports than for some', () => {
    const some = after(
      ...Array.from({ length: 64 }, (_, i) => ({ at: NOW + i, reportedAt: NOW + i })),
    );
    const many = after(
      ...Array.from({ length: 640 }, (_, i) => ({ at: NOW + i, reportedAt: NOW + i })),
    );
    expect(at(many, NOW + 640)).toBe(640);
    expect(at(many, NOW + 600)).toBe(601);
    const size = (state: Signal) => JSON.stringify(state).length;
    expect(size(many)).toBeLessThan(size(some) + 10);
  });

  it('forgets single reports after ten minutes, and never what they add up to', () => {
    const state = after({}, { at: NOW + 700_000, reportedAt: NOW + 700_000 });
    expect(state.sets[series({})]).toMatchObject({ total: 2, recent: [[NOW + 700_000, 1]] });
    expect(at(state, NOW + 699_999)).toBe(1);
  });
});
