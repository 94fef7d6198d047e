const BETWEEN_MS = 10;

/**
 * Waits until the check gives something true and returns it: for specs, instead of sleeping.
 * Rejects after `withinMs` with the last error of the check, or with its last value.
 */
export async function eventually<T>(
  check: () => T | Promise<T>,
  withinMs = 5_000,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const { value, error } = await attempt(check);
    if (value) return value;
    if (performance.now() > deadline)
      throw error ?? new Error(`Not within ${withinMs} ms; the last value was ${String(value)}.`);
    await new Promise((resolve) => {
      setTimeout(resolve, BETWEEN_MS);
    });
  }
}

async function attempt<T>(
  check: () => T | Promise<T>,
): Promise<{ value?: NonNullable<T> | undefined; error?: unknown }> {
  try {
    return { value: (await check()) ?? undefined };
  } catch (error) {
    return { error };
  }
}
