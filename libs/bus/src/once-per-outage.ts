/** Takes each failure, with how long nothing could be read by then; tells when that is first longer than `outageMs`. */
export function oncePerOutage(
  outageMs: number,
  tell: (message: string) => void,
): (error: Error, sinceMs: number) => void {
  let lastMs = 0;
  return ({ message }, sinceMs) => {
    if (lastMs < outageMs && sinceMs >= outageMs)
      tell(`has not been able to read for ${sinceMs} ms: ${message}`);
    lastMs = sinceMs;
  };
}
