/** The longest wait that a timer takes, in milliseconds. */
const MAX_TIMER_MS = 2_147_483_647;

/** One timer for many deadlines: it rings at the earliest time that was asked for. */
export class Alarm {
  readonly #ring: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #at = Infinity;
  #stopped = false;

  /** @param ring called at the time; it may set the alarm again */
  constructor(ring: () => void) {
    this.#ring = ring;
  }

  /** Rings at `time` (milliseconds since the epoch) unless it rings earlier anyway. */
  by(time: number): void {
    if (this.#stopped || time >= this.#at) return;
    clearTimeout(this.#timer);
    this.#at = time;
    const wait = Math.min(Math.max(time - Date.now(), 0), MAX_TIMER_MS);
    this.#timer = setTimeout(() => {
      this.#at = Infinity;
      this.#ring();
    }, Math.ceil(wait));
  }

  /** Rings no more, whatever is asked for later. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#at = Infinity;
  }
}
