import type { CheckoutOptions } from '@tidegate/checkout';
import { AppError } from '@tidegate/kernel';
import { startChild } from './child.process.ts';
import type { ExampleMessage, ExampleSaw } from './example-main.ts';

export interface Example {
  readonly url: string;
  /** Every change of a flag that its process has seen, oldest first. */
  readonly saw: readonly ExampleSaw['saw'][];
  /** Sum of `checkout_requests_total` over the series with these labels. */
  requests(labels: Readonly<Record<string, string>>): Promise<number>;
  stop(): Promise<void>;
}

/** Starts the example service in a process of its own. Thrown DEMO_EXAMPLE_FAILED with its own sentence. */
export async function startExample(options: CheckoutOptions, logFile: string): Promise<Example> {
  const child = startChild('./example-main.js', options, logFile);
  const saw: ExampleSaw['saw'][] = [];
  const url = await new Promise<string>((resolve, reject) => {
    const failed = (why: string) =>
      reject(new AppError('DEMO_EXAMPLE_FAILED', `The example service did not start: ${why}`));
    child.process.on('message', (message: ExampleMessage) => {
      if ('saw' in message) saw.push(message.saw);
      else if ('ready' in message) resolve(message.ready.url);
      else failed(message.failed);
    });
    child.process.once('exit', (code) => failed(`it ended with ${code}; see ${logFile}`));
  });
  return {
    url,
    saw,
    requests: async (labels) => {
      const text = await (await fetch(`${url}/metrics`)).text();
      return text
        .split('\n')
        .filter((line) => line.startsWith('checkout_requests_total{'))
        .filter((line) => Object.entries(labels).every(([k, v]) => line.includes(`${k}="${v}"`)))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
    },
    stop: () => child.stop(),
  };
}
