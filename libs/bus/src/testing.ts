export { memoryBus, MemoryBus, type MemoryBusOptions } from './bus.memory.ts';
export { MemoryFile } from './log.memory.ts';
export { virtualTime, type VirtualTime } from './virtual-time.memory.ts';
