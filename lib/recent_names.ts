/** Names that were seen lately: the last `limit` of them, and up to as many before those. O(1). */
export class RecentNames {
  readonly #limit: number;
  #names = new Set<string>();
  #before = new Set<string>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  has(name: string): boolean {
    return this.#names.has(name) || this.#before.has(name);
  }

  add(name: string): void {
    if (this.#names.size >= this.#limit) {
      this.#before = this.#names;
      this.#names = new Set();
    }
    this.#names.add(name);
  }
}
