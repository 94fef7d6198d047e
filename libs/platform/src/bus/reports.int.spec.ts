import { describe, expect, it } from '@jest/globals';
import { memoryBus } from '@tidegate/bus/testing';
import { PutEnvironment } from '@tidegate/contracts';
import { eventually } from '@tidegate/kernel/testing';
import { newMessage } from '../http/command.ts';
import { randomIds, systemClock } from '../system-clock.ts';
import { startTestService } from '../test-service.nest.ts';
import { tinyService } from '../tiny-service.nest.ts';

const ambient = { clock: systemClock, ids: randomIds };

describe('a handler that hangs', () => {
  it('ends the process, if the bus answers and there is lag', async () => {
    const { promise: never, resolve: open } = Promise.withResolvers<void>();
    const reasons: string[] = [];
    const timers: (() => void)[] = [];
    const timer = {
      after(ms: number, run: () => void) {
        if (ms >= 30_000) timers.push(run);
        else setTimeout(run, ms).unref();
        return () => undefined;
      },
    };
    const service = await startTestService(
      tinyService({ enter: (what) => (what === 'message' ? never : undefined) }),
      {
        bus: memoryBus({ ...ambient, timer }),
        start: { endProcess: (reason) => reasons.push(reason) },
      },
    );
    await service.context.bus.publish([
      newMessage(service.context, PutEnvironment, { environment: 'test' }),
    ]);
    await eventually(() => timers.length > 0);
    expect(reasons).toEqual([]);
    for (const pastDeadline of timers) pastDeadline();
    await eventually(() => reasons.length > 0);
    expect(reasons[0]).toMatch(/^A handler of tiny-service on flag.commands is stuck/);
    expect((await service.get('/metrics')).text).toContain(
      'tidegate_bus_stuck{group="tiny-service",topic="flag.commands"} 1',
    );
    open();
  });
});
