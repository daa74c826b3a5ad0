const SECONDS = 60;

/** Messages per second, out of counters that only grow. */
export class RateMeter {
  #last: { arrived: number; sent: number } | null = null;
  #history: { arrived: number; sent: number }[] = [];

  /** To be called once a second with what the counters say. */
  tick(arrived: number, sent: number): void {
    if (this.#last !== null) {
      this.#history.push({
        arrived: Math.max(0, arrived - this.#last.arrived),
        sent: Math.max(0, sent - this.#last.sent),
      });
      if (this.#history.length > SECONDS) this.#history.shift();
    }
    this.#last = { arrived, sent };
  }

  /** What arrived and what was sent in the last whole second. */
  get now(): { arrived: number; sent: number } {
    return this.#history.at(-1) ?? { arrived: 0, sent: 0 };
  }

  /** Arrivals in each second of the last minute, oldest first. */
  get lastMinute(): number[] {
    const known = this.#history.map(({ arrived }) => arrived);
    return [...new Array<number>(SECONDS - known.length).fill(0), ...known];
  }
}
