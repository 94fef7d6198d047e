export { type FlagValue, type MemoryTidegate, memoryTidegate } from './testing/tidegate.memory.ts';
export { withFlags } from './testing/with-flags.ts';
