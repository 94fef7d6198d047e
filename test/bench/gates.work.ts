import { parentPort, Worker } from 'node:worker_threads';
import { detections, type Detection, measureNull, type NullCounts } from './gates.measure.ts';
import { compare, type RivalResult } from './gates.tuning.ts';

/** What is measured beside each other, by its function and arguments. */
export interface Works {
  readonly measureNull: {
    readonly given: Parameters<typeof measureNull>;
    readonly gives: NullCounts;
  };
  readonly detections: {
    readonly given: Parameters<typeof detections>;
    readonly gives: Detection[];
  };
  readonly compare: { readonly given: Parameters<typeof compare>; readonly gives: RivalResult[] };
}
type Name = keyof Works;

interface Job {
  readonly name: Name;
  readonly given: readonly unknown[];
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
}

/** Measures on so many threads. */
export function openWork(threads: number) {
  const waiting: Job[] = [];
  const workers = Array.from({ length: threads }, () => {
    const worker = new Worker(new URL(import.meta.url));
    let job: Job | undefined;
    const next = () => {
      job = waiting.shift();
      if (job) worker.postMessage({ name: job.name, given: job.given }, []);
    };
    worker.on('message', (result) => {
      job?.resolve(result as never);
      next();
    });
    worker.on('error', (error) => job?.reject(error));
    return { worker, wake: () => job === undefined && next() };
  });
  return {
    do<N extends Name>(name: N, ...given: Works[N]['given']): Promise<Works[N]['gives']> {
      const { promise, resolve, reject } = Promise.withResolvers<Works[N]['gives']>();
      waiting.push({ name, given, resolve, reject });
      for (const { wake } of workers) wake();
      return promise;
    },
    close: () => Promise.all(workers.map(({ worker }) => worker.terminate())),
  };
}
export type Work = ReturnType<typeof openWork>;

const works = { measureNull, detections, compare } as Record<Name, (...given: never[]) => unknown>;
parentPort?.on('message', ({ name, given }: { name: Name; given: never[] }) => {
  parentPort?.postMessage(works[name](...given), []);
});
