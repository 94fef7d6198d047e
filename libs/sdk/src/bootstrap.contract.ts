import { expect, it } from '@jest/globals';
import type { Bootstrap } from './bootstrap.port.ts';

/** @param open what is kept in one place, which is empty at first */
export function bootstrapContract(open: () => Promise<Bootstrap>): void {
  it('has nothing at first', async () => {
    const bootstrap = await open();
    expect(await bootstrap.load()).toBeUndefined();
    await bootstrap.close();
  });

  it('gives back the last text that was saved, to whoever opens it next', async () => {
    const bootstrap = await open();
    await bootstrap.save?.('{"flags":[]}');
    await bootstrap.save?.('für alle 🛒');
    expect((await bootstrap.load())?.text).toBe('für alle 🛒');
    await bootstrap.close();
    await bootstrap.close();
  });

  it('keeps a large text whole', async () => {
    const bootstrap = await open();
    const text = 'x'.repeat(8 * 1024 * 1024);
    await bootstrap.save?.(text);
    expect((await bootstrap.load())?.text.length).toBe(text.length);
    await bootstrap.close();
  });
}
