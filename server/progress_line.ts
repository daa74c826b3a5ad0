const DRAW_EVERY_MS = 200;
const ERASE_LINE = "\r\x1b[K";

/**
 * One line on the terminal that tells how far the work is and how long it takes, and is gone when
 * the work is done. It first shows after a moment, so that short work shows none.
 */
export class ProgressLine implements Disposable {
  readonly #text: () => string;
  readonly #startedAt = performance.now();
  readonly #timer: ReturnType<typeof setInterval>;
  #shown = false;

  /** @param text asked each time the line is drawn */
  constructor(text: () => string) {
    this.#text = text;
    this.#timer = setInterval(() => this.#draw(), DRAW_EVERY_MS);
  }

  /** Makes room for a line of something else; it is drawn again in a moment. */
  hide(): void {
    if (this.#shown) write(ERASE_LINE);
    this.#shown = false;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.hide();
  }

  #draw(): void {
    const seconds = Math.floor((performance.now() - this.#startedAt) / 1000);
    write(`${ERASE_LINE}${this.#text()}, ${seconds} s`);
    this.#shown = true;
  }
}

function write(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}
