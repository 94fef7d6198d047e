import { describe, expect, it } from '@jest/globals';
import { topics } from '@tidegate/contracts';
import { differenceOf, settingsOf } from './topic-settings.ts';

const commands = settingsOf(topics.kills, 3);

describe('the settings of a topic', () => {
  it.each([
    [1, '1'],
    [2, '1'],
    [3, '2'],
    [5, '2'],
  ])('with %d copies need %s of them in step', (replication, minimum) => {
    const { entries } = settingsOf(topics.kills, replication);
    expect(entries['min.insync.replicas']).toBe(minimum);
  });

  it('say how long records are kept, or that the newest of each key is', () => {
    expect(commands.entries).toMatchObject({
      'cleanup.policy': 'delete',
      'retention.ms': '604800000',
    });
    expect(settingsOf(topics['flag.state'], 3).entries).not.toHaveProperty('retention.ms');
  });

  it('are the same, or what differs is named', () => {
    expect(differenceOf(commands, commands)).toBeUndefined();
    const entries = { ...commands.entries, 'retention.ms': '1000' };
    expect(differenceOf({ ...commands, partitions: 6, entries }, commands)).toBe(
      'partitions is 6, not 1; retention.ms is 1000, not 604800000',
    );
  });
});
