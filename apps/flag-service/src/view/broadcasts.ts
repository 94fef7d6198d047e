/** One message on its way to many. */
interface Broadcast<R, M> {
  readonly about: string;
  readonly message: M;
  readonly receivers: readonly R[];
  next: number;
}

export interface BroadcastOptions<R, M> {
  readonly deliver: (receiver: R, message: M) => void;
  /** Deliveries before others get a turn. */
  readonly slice: number;
  /** Calls back when others had their turn. */
  readonly later: (go: () => void) => void;
}

/**
 * Gives messages to many receivers, a slice at a time, so that thousands of them hold up nothing else. What is urgent
 * goes before all that waits; what a newer message about the same thing has made old is not sent to the rest.
 */
export class Broadcasts<R, M> {
  readonly #options: BroadcastOptions<R, M>;
  #urgent: Broadcast<R, M>[] = [];
  #usual: Broadcast<R, M>[] = [];
  #waits = false;

  constructor(options: BroadcastOptions<R, M>) {
    this.#options = options;
  }

  /** Messages that have not reached everybody. */
  get size(): number {
    return this.#urgent.length + this.#usual.length;
  }

  /** The first slice is delivered at once, if nothing waits before it. */
  send(about: string, message: M, receivers: readonly R[], isUrgent: boolean): void {
    const isOther = (broadcast: Broadcast<R, M>): boolean => broadcast.about !== about;
    this.#urgent = this.#urgent.filter(isOther);
    this.#usual = this.#usual.filter(isOther);
    const queue = isUrgent ? this.#urgent : this.#usual;
    queue.push({ about, message, receivers, next: 0 });
    if (isUrgent || !this.#waits) this.#deliverSlice();
  }

  #deliverSlice(): void {
    const { deliver, slice } = this.#options;
    const queue = this.#urgent.length > 0 ? this.#urgent : this.#usual;
    const [broadcast] = queue;
    if (!broadcast) return;
    const { receivers, message } = broadcast;
    const end = Math.min(receivers.length, broadcast.next + slice);
    for (let at = broadcast.next; at < end; at += 1) deliver(receivers[at] as R, message);
    broadcast.next = end;
    if (end === receivers.length) queue.shift();
    this.#goOn();
  }

  #goOn(): void {
    if (this.#waits || this.size === 0) return;
    this.#waits = true;
    this.#options.later(() => {
      this.#waits = false;
      this.#deliverSlice();
    });
  }
}
