import { FLAGS } from './world.ts';

/** What one connection to a stream of flags was told of one flag. */
export interface Heard extends AsyncDisposable {
  readonly versions: readonly number[];
}

interface FlagEvent {
  readonly key: string;
  readonly version: number;
}

/** Listens as a plain client: it merges nothing. */
export function listen(url: string, key: string, flag: string): Heard {
  const over = new AbortController();
  const versions: number[] = [];
  const reading = read(url, key, over.signal, (event) => {
    if (event.key === flag) versions.push(event.version);
  });
  return {
    versions,
    [Symbol.asyncDispose]: async () => {
      over.abort();
      await reading;
    },
  };
}

async function read(
  url: string,
  key: string,
  signal: AbortSignal,
  told: (event: FlagEvent) => void,
): Promise<void> {
  const path = FLAGS.replace('/flags', '/stream');
  try {
    const response = await fetch(url + path, {
      headers: { authorization: `Bearer ${key}` },
      signal,
    });
    let text = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const events = (text + chunk).split('\n\n');
      text = events.pop() ?? '';
      for (const event of events.filter((each) => each.startsWith('event: flag\n')))
        told(JSON.parse(event.slice(event.indexOf('data: ') + 'data: '.length)) as FlagEvent);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
