import { describe, expect, it } from '@jest/globals';
import { boundedEvents } from './security-events.ts';

const refused = { code: 'AUTH_KEY_UNKNOWN', method: 'GET', route: '/v1/x', address: '10.0.0.1' };

describe('security events', () => {
  it('come once a period of each kind, and then say how many there were', () => {
    const bounded = boundedEvents({ everyMs: 1_000, atMost: 10 });
    expect(bounded(refused, 0)).toMatchObject({ suppressed: 0 });
    expect(bounded(refused, 10)).toBeUndefined();
    expect(bounded(refused, 999)).toBeUndefined();
    expect(bounded({ ...refused, address: '10.0.0.2' }, 999)).toMatchObject({ suppressed: 0 });
    expect(bounded(refused, 1_000)).toMatchObject({ suppressed: 2 });
    expect(bounded(refused, 2_000)).toMatchObject({ suppressed: 0 });
  });

  it('never come in greater number than the bound, whoever asks from wherever', () => {
    const bounded = boundedEvents({ everyMs: 1_000, atMost: 3 });
    const from = (host: number) => bounded({ ...refused, address: `10.0.1.${host}` }, 5);
    const published = Array.from({ length: 50 }, (_, host) => from(host)).filter(Boolean);
    expect(published).toHaveLength(3);
    expect(bounded(refused, 1_005)).toMatchObject({ suppressed: 47 });
  });
});
