const WINDOW_MS = 60_000;
const MAX_ADDRESSES = 10_000;

/**
 * Counts wrong guesses by address: ten in a minute, and the address is heard no more until the minute is over.
 * The same one again is none: a page that was left open since the token was another repeats its own for ever.
 */
export class GuessLimit {
  readonly #max: number;
  readonly #wrong = new Map<string, { guesses: Set<string>; until: number }>();

  constructor(max = 10) {
    this.#max = max;
  }

  /** Seconds for which the address is not heard; 0 where it is. */
  wait(address: string, now = Date.now()): number {
    const wrong = this.#wrong.get(networkOf(address));
    if (wrong === undefined || wrong.until <= now || wrong.guesses.size < this.#max) return 0;
    return Math.ceil((wrong.until - now) / 1000);
  }

  /** Counts a wrong guess. */
  count(address: string, guess: string, now = Date.now()): void {
    const network = networkOf(address);
    const wrong = this.#wrong.get(network);
    if (wrong !== undefined && wrong.until > now) {
      if (wrong.guesses.size < this.#max) wrong.guesses.add(guess);
      return;
    }
    this.#wrong.delete(network);
    this.#wrong.set(network, { guesses: new Set([guess]), until: now + WINDOW_MS });
    // The oldest stand first.
    for (const [each, { until }] of this.#wrong) {
      if (until > now && this.#wrong.size <= MAX_ADDRESSES) break;
      this.#wrong.delete(each);
    }
  }
}

/** Whoever has one IPv6 address has all of its network. */
function networkOf(address: string): string {
  return address.includes(":") && !address.includes(".")
    ? address.split(":").slice(0, 4).join(":")
    : address;
}
