const POINTS = 60;
const POINT_SECONDS = 3;

/** Messages per second, out of counters that only grow. */
export class RateMeter {
  #last: { arrived: number; sent: number } | null = null;
  #now = { arrived: 0, sent: 0 };
  #ticks = 0;
  readonly #peaks = new Array<number>(POINTS).fill(0);

  /** To be called once a second with what the counters say. */
  tick(arrived: number, sent: number): void {
    if (this.#last !== null) {
      this.#now = {
        arrived: Math.max(0, arrived - this.#last.arrived),
        sent: Math.max(0, sent - this.#last.sent),
      };
      if (this.#ticks++ % POINT_SECONDS === 0) {
        this.#peaks.shift();
        this.#peaks.push(0);
      }
      this.#peaks.push(Math.max(this.#peaks.pop() ?? 0, this.#now.arrived));
    }
    this.#last = { arrived, sent };
  }

  /** What arrived and what was sent in the last whole second. */
  get now(): { arrived: number; sent: number } {
    return this.#now;
  }

  /** Arrivals in the busiest second of each three, over the last three minutes, oldest first. */
  get peaks(): readonly number[] {
    return this.#peaks;
  }
}
