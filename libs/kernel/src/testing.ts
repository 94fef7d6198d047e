export { manualClock, sequentialIds } from './ambient.memory.ts';
export { specification } from './specification.ts';
