export { memoryBus, MemoryBus, type MemoryBusOptions } from './bus.memory.ts';
export { MemoryFile } from './log.memory.ts';
