/** The longest wait between two attempts, in milliseconds. */
const LONGEST_MS = 30_000;
/** How long a link must hold before the next loss is a first one again, in milliseconds. */
const STABLE_AFTER_MS = 30_000;
/** Or so many times as long as the wait before it. Two that throw each other out hold no longer than that. */
const STABLE_FACTOR = 4;

/** How long to wait before each attempt: twice as long every time, with jitter, until a link holds. */
export class Backoff {
  readonly #firstMs: number;
  #attempts = 0;
  #lastWaitMs = 0;

  constructor(firstMs: number) {
    this.#firstMs = firstMs;
  }

  /** How many attempts were waited for since a link held. */
  get attempts(): number {
    return this.#attempts;
  }

  /**
   * Milliseconds until the next attempt: between half of the step and all of it.
   *
   * @param heldMs how long the link held that was lost, 0 where none was made
   */
  next(heldMs: number): number {
    if (heldMs >= Math.min(STABLE_AFTER_MS, STABLE_FACTOR * this.#lastWaitMs)) this.#attempts = 0;
    const step = Math.min(
      this.#firstMs * 2 ** this.#attempts++,
      Math.max(this.#firstMs, LONGEST_MS),
    );
    return this.#lastWaitMs = Math.round(step / 2 + Math.random() * step / 2);
  }
}
