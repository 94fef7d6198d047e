import { type FlagValue, type MemoryTidegate, memoryTidegate } from './tidegate.memory.ts';

/** Runs a spec with these flags, `withFlags({ 'checkout-v2': true, plan: ({ targetingKey }) => … }, async (flags) => …)`, and closes them. */
export async function withFlags<R>(
  values: Readonly<Record<string, FlagValue>>,
  run: (flags: MemoryTidegate) => R | Promise<R>,
): Promise<R> {
  const flags = memoryTidegate(values);
  try {
    return await run(flags);
  } finally {
    await flags.close();
  }
}
