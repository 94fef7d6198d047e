import { causeOf } from '@tidegate/kernel';

export interface ProbeOptions {
  readonly timeoutMs: number;
  /** Who asks. */
  readonly userAgent: string;
}

/**
 * Asks a URL whether a batch may be begun: 2xx is yes, anything else and no answer is no, in a sentence. It names the
 * host only: the rest of a URL may hold a key. Redirects are not followed.
 */
export const httpProbe =
  ({ timeoutMs, userAgent }: ProbeOptions) =>
  async (url: string): Promise<string | undefined> => {
    const { host } = new URL(url);
    const late = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(url, {
        redirect: 'manual',
        signal: late,
        headers: { 'user-agent': userAgent },
      });
      await response.body?.cancel();
      return response.ok ? undefined : `The probe at ${host} answered ${response.status}.`;
    } catch (error) {
      return late.aborted
        ? `The probe at ${host} did not answer within ${timeoutMs / 1_000} s.`
        : `The probe at ${host} could not be reached: ${causeOf(error)}`;
    }
  };
