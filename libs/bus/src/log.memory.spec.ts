import { describe } from '@jest/globals';
import type { Clock } from '@tidegate/kernel';
import { logContract, type LogUnderTest } from './log.contract.ts';
import { MemoryFile, MemoryLog } from './log.memory.ts';

const open = (file: MemoryFile, clock: Clock): LogUnderTest => ({
  log: new MemoryLog(file, clock),
  reopen: () => open(file, clock),
});

describe('the log in memory', () => {
  logContract((clock) => open(new MemoryFile(), clock));
});
