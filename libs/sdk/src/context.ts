export { currentContext, runWithContext } from './context/current-context.ts';
