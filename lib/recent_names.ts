/** Names that were seen lately: the last `limit` of them. O(1). */
export class RecentNames {
  readonly #limit: number;
  readonly #names = new Set<string>();
  /** In the order in which they were seen; the oldest is overwritten next. */
  readonly #ring: string[] = [];
  #next = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  add(name: string): void {
    const oldest = this.#ring[this.#next];
    if (oldest !== undefined) this.#names.delete(oldest);
    this.#ring[this.#next] = name;
    this.#names.add(name);
    this.#next = (this.#next + 1) % this.#limit;
  }
}
