/** A signal that is aborted when another one is, or after a silence. */
export interface Lifeline {
  readonly signal: AbortSignal;
  heard(): void;
  stop(): void;
}

/**
 * Not AbortSignal.any: what it makes of a signal that lives as long as the process may live as long, too.
 * @param silence the reason of the abort after `idleMs` without `heard`
 */
export function lifelineOf(closing: AbortSignal, idleMs: number, silence: () => Error): Lifeline {
  const controller = new AbortController();
  const close = () => {
    controller.abort(closing.reason);
  };
  const timer = setTimeout(() => {
    controller.abort(silence());
  }, idleMs).unref();
  if (closing.aborted) close();
  closing.addEventListener('abort', close);
  return {
    signal: controller.signal,
    heard: () => {
      timer.refresh();
    },
    stop: () => {
      clearTimeout(timer);
      closing.removeEventListener('abort', close);
    },
  };
}
