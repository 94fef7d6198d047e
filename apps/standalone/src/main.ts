import { messageOf } from '@tidegate/kernel';
import { shareLibrary } from '@tidegate/migration-runner';
import { processEnvironment } from '@tidegate/platform';
import { startStandalone } from './house/standalone.ts';

const end = (code: number, sentence?: string): never => {
  if (sentence !== undefined) process.stderr.write(`tidegate: ${sentence}\n`);
  process.exit(code);
};

shareLibrary();
const startedAt = performance.now();
try {
  const standalone = await startStandalone(processEnvironment(), (reason) => end(1, reason));
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  const width = Math.max(...Object.keys(standalone.urls).map(({ length }) => length));
  process.stdout.write(
    [
      `Tidegate is ready (${seconds} s). Data in ${standalone.dataDir}, log in ${standalone.logFile}.`,
      ...Object.entries(standalone.urls).map(
        ([name, url]) => `  ${name.padEnd(width)}  ${url}/docs`,
      ),
      `  admin key          ${standalone.adminKey}`,
      'Ctrl-C stops it.',
      '',
    ].join('\n'),
  );
  const stop = (): void => {
    standalone.stop().then(
      () => end(0),
      (error: unknown) => end(1, messageOf(error)),
    );
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
} catch (error) {
  end(1, messageOf(error));
}
