/** A place in a list. */
export interface ListNode<T> {
  readonly value: T;
  previous: ListNode<T> | null;
  next: ListNode<T> | null;
}

/** A doubly linked list: a value leaves from the middle, or enters beside another, in O(1). */
export class LinkedList<T> implements Iterable<T> {
  #first: ListNode<T> | null = null;
  #last: ListNode<T> | null = null;
  #size = 0;

  get first(): ListNode<T> | null {
    return this.#first;
  }

  get last(): ListNode<T> | null {
    return this.#last;
  }

  get size(): number {
    return this.#size;
  }

  push(value: T): ListNode<T> {
    return this.#link(value, this.#last, null);
  }

  insertBefore(next: ListNode<T>, value: T): ListNode<T> {
    return this.#link(value, next.previous, next);
  }

  insertAfter(previous: ListNode<T>, value: T): ListNode<T> {
    return this.#link(value, previous, previous.next);
  }

  /** Takes a node out. The node must be of this list, and is worthless afterwards. */
  remove(node: ListNode<T>): void {
    if (node.previous === null) this.#first = node.next;
    else node.previous.next = node.next;
    if (node.next === null) this.#last = node.previous;
    else node.next.previous = node.previous;
    node.previous = node.next = null;
    this.#size--;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let node = this.#first; node !== null; node = node.next) yield node.value;
  }

  #link(value: T, previous: ListNode<T> | null, next: ListNode<T> | null): ListNode<T> {
    const node = { value, previous, next };
    if (previous === null) this.#first = node;
    else previous.next = node;
    if (next === null) this.#last = node;
    else next.previous = node;
    this.#size++;
    return node;
  }
}
