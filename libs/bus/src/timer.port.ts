/** Runs something once, `ms` from now, unless it is cancelled first. */
export interface Timer {
  /** Returns how to cancel; cancelling late or twice does nothing. */
  after(ms: number, run: () => void): () => void;
}
