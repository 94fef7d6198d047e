export { MemoryDisk } from './disk.memory.ts';
export { noFaults } from './faults.port.ts';
export { memoryPublish, type MemoryPublish } from './publish.memory.ts';
export { memoryStore } from './store.memory.ts';
