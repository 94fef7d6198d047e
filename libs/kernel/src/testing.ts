export { manualClock, sequentialIds } from './ambient.memory.ts';
export { eventually } from './eventually.ts';
export { specification } from './specification.ts';
