export { memoryBus, MemoryBus, type MemoryBusOptions } from './bus.memory.ts';
export { MemoryFile } from './log.memory.ts';
export { virtualTime, type VirtualTime } from './virtual-time.memory.ts';
/** The rules of delivery, for who simulates a bus with several members per group. */
export { deadLetter, letterMessage, refusalOf } from './dead-letter.ts';
export { afterFailure, killPolicy, spendsBudget } from './delivery-policy.ts';
export { partitionOf } from './partition-of.ts';
export { namesOf, triage } from './triage.ts';
