import { describe, expect, it } from '@jest/globals';
import { memoryBus } from '@tidegate/bus/testing';
import { PutEnvironment } from '@tidegate/contracts';
import { eventually } from '@tidegate/kernel/testing';
import { newMessage } from '../http/command.ts';
import { randomIds, systemClock } from '../system-clock.ts';
import { startTestService } from '../test-service.nest.ts';
import { tinyService } from '../tiny-service.nest.ts';
import { heldTimers } from './held-timers.memory.ts';

const ambient = { clock: systemClock, ids: randomIds };

describe('a handler that hangs', () => {
  it('ends the process, if the bus answers and there is lag', async () => {
    const { promise: never, resolve: open } = Promise.withResolvers<void>();
    const reasons: string[] = [];
    const timers = heldTimers();
    const service = await startTestService(
      tinyService({ enter: (what) => (what === 'message' ? never : undefined) }),
      {
        bus: memoryBus({ ...ambient, timer: timers.timer }),
        start: { endProcess: (reason) => reasons.push(reason) },
      },
    );
    await service.context.bus.publish([
      newMessage(service.context, PutEnvironment, { environment: 'test' }),
    ]);
    await eventually(() => timers.held() > 0);
    expect(reasons).toEqual([]);
    timers.pass();
    await eventually(() => reasons.length > 0);
    expect(reasons[0]).toMatch(/^A handler of tiny-service on flag.commands is stuck/);
    expect((await service.get('/metrics')).text).toContain(
      'tidegate_bus_stuck{group="tiny-service",topic="flag.commands"} 1',
    );
    open();
  });
});
