import { AsyncLocalStorage } from 'node:async_hooks';
import type { EvaluationContext } from '@tidegate/evaluation';
import { mergeContexts } from './merge-contexts.ts';

const storage = new AsyncLocalStorage<EvaluationContext | undefined>();

/** What `run`, and everything that it awaits, finds as `currentContext`: this context over the one around it. */
export const runWithContext = <T>(context: EvaluationContext, run: () => T): T =>
  storage.run(mergeContexts(storage.getStore(), context), run);

/** Of the innermost `runWithContext` around the caller. */
export const currentContext = (): EvaluationContext | undefined => storage.getStore();
