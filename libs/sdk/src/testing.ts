export { type MemoryTidegate, memoryTidegate } from './tidegate.memory.ts';
