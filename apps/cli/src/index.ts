export { type ProgramWorld, run } from './program.ts';
