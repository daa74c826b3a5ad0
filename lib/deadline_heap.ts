/** Something with a deadline. The heap keeps its place in it. */
export interface Deadline {
  /** Milliseconds since the epoch; `Infinity` for none. */
  deadline: number;
  /** Where the heap has it; -1 outside. The heap's own. */
  heapIndex: number;
}

/** Deadlines by time: the earliest in O(1), a change in O(log n), one timer for all of them. */
export class DeadlineHeap<T extends Deadline> {
  readonly #items: T[] = [];

  /** The earliest deadline, `Infinity` without any. */
  get next(): number {
    return this.#items.length === 0 ? Infinity : this.#items[0].deadline;
  }

  get size(): number {
    return this.#items.length;
  }

  /** Gives the item this deadline in place of the one it had. `Infinity` takes it out. */
  set(item: T, deadline: number): void {
    if (deadline === Infinity) {
      this.delete(item);
      return;
    }
    item.deadline = deadline;
    if (item.heapIndex < 0) {
      item.heapIndex = this.#items.length;
      this.#items.push(item);
    }
    this.#settle(item);
  }

  /** Takes the item out. Harmless where it is not in. */
  delete(item: T): void {
    const index = item.heapIndex;
    item.deadline = Infinity;
    if (index < 0) return;
    item.heapIndex = -1;
    const last = this.#items.pop()!;
    if (last === item) return;
    this.#items[index] = last;
    last.heapIndex = index;
    this.#settle(last);
  }

  /** Takes out the earliest item that is due. */
  popDue(now: number): T | undefined {
    const first = this.#items[0];
    if (first === undefined || first.deadline > now) return undefined;
    this.delete(first);
    return first;
  }

  #settle(item: T): void {
    this.#rise(item);
    this.#sink(item);
  }

  #rise(item: T): void {
    while (item.heapIndex > 0) {
      const parent = this.#items[(item.heapIndex - 1) >> 1];
      if (parent.deadline <= item.deadline) return;
      this.#swap(item, parent);
    }
  }

  #sink(item: T): void {
    for (;;) {
      const left = this.#items[2 * item.heapIndex + 1];
      const right = this.#items[2 * item.heapIndex + 2];
      const child = right !== undefined && right.deadline < left.deadline ? right : left;
      if (child === undefined || child.deadline >= item.deadline) return;
      this.#swap(item, child);
    }
  }

  #swap(a: T, b: T): void {
    [a.heapIndex, b.heapIndex] = [b.heapIndex, a.heapIndex];
    this.#items[a.heapIndex] = a;
    this.#items[b.heapIndex] = b;
  }
}
