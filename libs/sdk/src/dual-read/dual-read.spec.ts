import { describe, expect, it } from '@jest/globals';
import { memoryTidegate } from '../testing/tidegate.memory.ts';
import { dualRead } from './dual-read.loop.ts';
import type { DualReadOptions, Mismatch } from './dual-read.port.ts';

type Options = DualReadOptions<[id: number], number | Promise<number>>;

/** A reading of which both sides say what the tables say, with all that it counted and told. */
function opened(mode: string, options: Partial<Options> = {}) {
  const tables = { old: new Map([[1, 10]]), new: new Map([[1, 10]]) };
  const reads: string[] = [];
  const side = (of: 'old' | 'new') => (id: number) => {
    reads.push(of);
    const found = tables[of].get(id);
    if (found === undefined) throw new Error(`${of} has no ${id}`);
    return found;
  };
  const outcomes: string[] = [];
  const ended: string[] = [];
  const mismatches: Mismatch<[number], number>[] = [];
  const errors: string[] = [];
  const flags = memoryTidegate({ 'totals-read': mode });
  const read = dualRead<[id: number], number | Promise<number>>(flags, {
    name: 'totals',
    flag: 'totals-read',
    old: side('old'),
    new: side('new'),
    metrics: {
      of: () => ({
        compared: (mode, outcome) => void outcomes.push(`${mode} ${outcome}`),
        ended: ({ mode, side, outcome }) => void ended.push(`${mode} ${side} ${outcome}`),
      }),
    },
    onMismatch: (mismatch) => void mismatches.push(mismatch),
    onError: ({ code, message }) => void errors.push(`${code} ${message}`),
    ...options,
  });
  return { read, flags, tables, reads, outcomes, ended, mismatches, errors };
}

const soon = async (value: number) => {
  await new Promise(setImmediate);
  return value;
};

describe('off', () => {
  it('reads as ever, and nothing else', async () => {
    const { read, reads, outcomes, ended } = opened('off');
    expect(read(1)).toBe(10);
    await read.settled();
    expect({ reads, outcomes, ended }).toEqual({
      reads: ['old'],
      outcomes: [],
      ended: ['off old answered'],
    });
  });

  it('is where there is no flag, unless another fallback is given', () => {
    const options = { flag: 'not-there', fallback: 'new' } as const;
    const { read, reads } = opened('off', options);
    void read(1);
    expect(reads).toEqual(['new']);
    const { read: second, reads: there } = opened('off', { flag: 'not-there' });
    void second(1);
    expect(there).toEqual(['old']);
  });

  it('is what an unknown mode counts as, and it is reported', () => {
    const { read, reads, errors } = opened('shaddow');
    expect(read(1)).toBe(10);
    expect(reads).toEqual(['old']);
    expect(errors).toEqual([
      'SDK_DUAL_READ_FAILED Dual read totals: the flag totals-read says "shaddow", not one of off, shadow, new.',
    ]);
  });
});

describe('shadow', () => {
  it('answers as ever, before the new reading has begun, and compares then', async () => {
    const { read, reads, outcomes } = opened('shadow');
    expect(read(1)).toBe(10);
    expect(reads).toEqual(['old']);
    await read.settled();
    expect({ reads, outcomes }).toEqual({ reads: ['old', 'new'], outcomes: ['shadow match'] });
  });

  it('waits for no new reading, however long it takes, and gives it up', async () => {
    const { read, outcomes, errors } = opened('shadow', {
      old: soon,
      new: () => new Promise<number>(() => {}),
      timeoutMs: 5,
    });
    expect(await read(1)).toBe(1);
    expect(outcomes).toEqual([]);
    await read.settled();
    expect(outcomes).toEqual(['shadow failed']);
    expect(errors[0]).toContain('1 was not compared: the new reading took longer than 5 ms');
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no index');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no index'))],
  ])('keeps from the caller that the new reading %s', async (_how, fails) => {
    const { read, outcomes, ended, errors } = opened('shadow', { new: fails });
    expect(read(1)).toBe(10);
    await read.settled();
    expect(outcomes).toEqual(['shadow failed']);
    expect(ended).toEqual(['shadow old answered', 'shadow new failed']);
    expect(errors).toEqual([
      'SDK_DUAL_READ_FAILED Dual read totals: 1 was not compared: no index.',
    ]);
  });

  it('lives on when what hears of mismatches and errors fails later', async () => {
    const late = (): never => Promise.reject(new Error('too late')) as never;
    const { read, tables, outcomes, errors } = opened('shadow', { onMismatch: late });
    tables.new.set(1, 11);
    expect(read(1)).toBe(10);
    await read.settled();
    expect(outcomes).toEqual(['shadow mismatch']);
    expect(errors[0]).toContain('onMismatch failed: too late');
  });

  it('takes no promise for a match', async () => {
    const late = async () => {
      throw new Error('too late');
    };
    const { read, outcomes, errors } = opened('shadow', { same: late as never });
    expect(read(1)).toBe(10);
    await read.settled();
    expect(outcomes).toEqual(['shadow failed']);
    expect(errors[0]).toContain('1 was not compared: same gave neither true nor false');
  });

  it('gives the caller the error of the old reading, and compares nothing', async () => {
    const { read, reads, outcomes } = opened('shadow');
    expect(() => read(7)).toThrow('old has no 7');
    await read.settled();
    expect({ reads, outcomes }).toEqual({ reads: ['old'], outcomes: [] });
  });

  it('tells what differs: which document, and what both say', async () => {
    const { read, tables, outcomes, mismatches } = opened('shadow', { key: (id) => `order ${id}` });
    tables.new.set(1, 11);
    expect(read(1)).toBe(10);
    await read.settled();
    expect(outcomes).toEqual(['shadow mismatch']);
    expect(mismatches).toEqual([
      { name: 'totals', mode: 'shadow', key: 'order 1', args: [1], old: 10, new: 11 },
    ]);
  });

  it('does not blame who writes between the two readings', async () => {
    const { read, tables, outcomes, mismatches } = opened('shadow');
    void read(1);
    tables.old.set(1, 12);
    tables.new.set(1, 12);
    await read.settled();
    expect({ outcomes, mismatches }).toEqual({ outcomes: ['shadow moved'], mismatches: [] });
  });

  it('does not blame the caller for what it does with its answer', async () => {
    const outcomes: string[] = [];
    const read = dualRead(memoryTidegate({ read: 'shadow' }), {
      name: 'lists',
      flag: 'read',
      old: () => [1],
      new: () => [1],
      metrics: {
        of: () => ({ ended: () => undefined, compared: (_mode, it) => void outcomes.push(it) }),
      },
    });
    read().push(2);
    await read.settled();
    expect(outcomes).toEqual(['moved']);
  });

  it('compares only so many at once, and counts what it skips', async () => {
    const { read, outcomes } = opened('shadow', { new: soon, old: soon, mostAtOnce: 2 });
    await Promise.all([1, 2, 3, 4, 5].map(async (id) => read(id)));
    await read.settled();
    expect(outcomes.toSorted()).toEqual([
      'shadow match',
      'shadow match',
      'shadow skipped',
      'shadow skipped',
      'shadow skipped',
    ]);
  });

  it('counts every mismatch, and tells only so many in a minute', async () => {
    const { read, tables, outcomes, mismatches } = opened('shadow', { mostSamplesPerMinute: 2 });
    tables.new.set(1, 11);
    for (let n = 0; n < 5; n += 1) void read(1);
    await read.settled();
    expect(outcomes).toHaveLength(5);
    expect(mismatches).toHaveLength(2);
  });

  it('compares as it is told to', async () => {
    const { read, tables, outcomes } = opened('shadow', {
      same: (old, fresh) => Math.abs(old - fresh) < 1,
    });
    tables.new.set(1, 10.5);
    void read(1);
    await read.settled();
    expect(outcomes).toEqual(['shadow match']);
  });

  it('says so when it cannot compare, and goes on when what hears of mismatches fails', async () => {
    const first = opened('shadow', {
      same: () => {
        throw new Error('no units');
      },
    });
    void first.read(1);
    await first.read.settled();
    expect(first.outcomes).toEqual(['shadow failed']);
    expect(first.errors[0]).toContain('no units');
    const second = opened('shadow', {
      onMismatch: () => {
        throw new Error('no disk');
      },
    });
    second.tables.new.set(1, 11);
    void second.read(1);
    await second.read.settled();
    expect(second.outcomes).toEqual(['shadow mismatch']);
    expect(second.errors[0]).toContain('no disk');
  });
});

describe('new', () => {
  it('answers the new way, and reads the old one no more', async () => {
    const { read, tables, reads, outcomes } = opened('new');
    tables.new.set(1, 11);
    expect(read(1)).toBe(11);
    await read.settled();
    expect({ reads, outcomes }).toEqual({ reads: ['new'], outcomes: [] });
  });

  it('gives the caller its errors, and counts them', () => {
    const { read, ended } = opened('new');
    expect(() => read(7)).toThrow('new has no 7');
    expect(ended).toEqual(['new new failed']);
  });

  it('is compared with the old one afterwards, where that is asked for', async () => {
    const { read, tables, outcomes, mismatches } = opened('new', { compare: 'after' });
    tables.new.set(1, 11);
    expect(read(1)).toBe(11);
    await read.settled();
    expect(outcomes).toEqual(['new mismatch']);
    expect(mismatches).toMatchObject([{ old: 10, new: 11 }]);
  });

  it('is taken back by the flag alone', () => {
    const { read, flags, reads } = opened('new');
    void read(1);
    flags.set('totals-read', 'off');
    void read(1);
    expect(reads).toEqual(['new', 'old']);
  });

  it('is for those alone whom the flag names', () => {
    const seen = opened('off', { context: (id) => ({ targetingKey: String(id) }) });
    seen.flags.set('totals-read', ({ targetingKey }) => (targetingKey === '1' ? 'new' : 'off'));
    seen.tables.old.set(2, 20);
    void seen.read(1);
    void seen.read(2);
    expect(seen.reads).toEqual(['new', 'old']);
  });
});

it('names every option that is wrong', () => {
  const wrong = { name: '', flag: 'f', compare: 'before', timeoutMs: 0, old: () => 1 };
  expect(() => dualRead(memoryTidegate(), wrong as never)).toThrow(
    'The dual read cannot be made: name must not be empty; new must be a function; compare must be shadow or after, not "before"; timeoutMs must be a number above 0.',
  );
});

describe('whoever reads', () => {
  it('has a query begun once that is begun by being awaited', async () => {
    let begun = 0;
    const query = (): Promise<number> => {
      const then: Promise<number>['then'] = (...of) => {
        begun += 1;
        return Promise.resolve(10).then(...of);
      };
      // oxlint-disable-next-line unicorn/no-thenable -- it is what lazy queries are
      return { then } as Promise<number>;
    };
    for (const mode of ['off', 'shadow']) {
      begun = 0;
      const { read } = opened(mode, { old: query });
      expect(await read(1)).toBe(10);
      await read.settled();
      expect(begun).toBe(1);
    }
  });

  it('is told nothing of a context or of metrics that fail: they are reported', async () => {
    const fails = (): never => {
      throw new Error('no user');
    };
    const { read, errors } = opened('new', {
      context: fails,
      metrics: { of: () => ({ ended: fails, compared: fails }) },
    });
    expect(read(1)).toBe(10);
    await read.settled();
    expect(errors.join()).toContain('its context failed: no user');
    expect(errors.join()).toContain('its metrics failed: no user');
  });

  it('lives on when the new reading fails for arguments that have no name', async () => {
    const errors: string[] = [];
    const read = dualRead<[args: object], number>(memoryTidegate({ 'totals-read': 'shadow' }), {
      name: 'totals',
      flag: 'totals-read',
      old: () => 10,
      new: () => {
        throw new Error('new is broken');
      },
      onError: ({ message }) => void errors.push(message),
    });
    expect(read(Object.create(null) as object)).toBe(10);
    await read.settled();
    expect(errors.join()).toContain('was not compared: new is broken');
  });
});
