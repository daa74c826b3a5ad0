/** Slots of an empty table; a power of two, as all its sizes are. */
const FEWEST_SLOTS = 64;

/** Fingerprints in a table with open addressing: nothing of it is work for the garbage collector. */
class Fingerprints {
  /** Half of them at the least are free, and 0. */
  #slots = new Float64Array(FEWEST_SLOTS);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(name: number): boolean {
    return this.#slots[this.#slotOf(name)] === name;
  }

  add(name: number): void {
    const slot = this.#slotOf(name);
    if (this.#slots[slot] === name) return;
    this.#slots[slot] = name;
    this.#size++;
    if (2 * this.#size > this.#slots.length) this.#grow();
  }

  #grow(): void {
    const names = this.#slots.filter((name) => name !== 0);
    this.#slots = new Float64Array(2 * this.#slots.length);
    for (const name of names) this.#slots[this.#slotOf(name)] = name;
  }

  /** Where it is, or would be. */
  #slotOf(name: number): number {
    const slots = this.#slots;
    const last = slots.length - 1;
    let slot = name & last;
    while (slots[slot] !== 0 && slots[slot] !== name) slot = slot + 1 & last;
    return slot;
  }
}

/**
 * Names that were seen lately, each a fingerprint: the last `limit` of them, and up to as many before
 * those. O(1).
 */
export class RecentNames {
  readonly #limit: number;
  #names = new Fingerprints();
  #before = new Fingerprints();

  constructor(limit: number) {
    this.#limit = limit;
  }

  has(name: number): boolean {
    return this.#names.has(name) || this.#before.has(name);
  }

  add(name: number): void {
    if (this.#names.size >= this.#limit) {
      this.#before = this.#names;
      this.#names = new Fingerprints();
    }
    this.#names.add(name);
  }
}
