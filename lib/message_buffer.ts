import type { Delivery } from "./connection.ts";
import { type Deadline, DeadlineHeap } from "./deadline_heap.ts";
import { LinkedList, type ListNode } from "./linked_list.ts";

/** What a held message is reckoned to cost beside its payload, in bytes, so that empty ones are bounded too. */
const ENTRY_OVERHEAD = 512;

/** Where a held message stands. */
export type EntryState = "available" | "locked" | "delayed" | "removed";

/** A message that the queue holds. */
export interface BufferEntry extends Deadline {
  readonly delivery: Delivery;
  /** The sender's id, or ours for a message without one; `null` until somebody has looked. */
  messageId: string | null;
  /** What tells this sending of the message from any other; `null` where its sender did not say. */
  readonly name: number | null;
  readonly arrivedAt: number;
  /** When the broker would have dropped it; `Infinity` for never. */
  readonly expiresAt: number;
  deliveryCount: number;
  state: EntryState;
  /** Who holds it; a new object at every lock, so that an old holder is told apart. */
  lock: object | null;
}

interface Entry extends BufferEntry {
  readonly sequence: number;
  /** What it counts for; the payload itself may be transferred away. */
  readonly cost: number;
  /** Its place among those that may be dropped, while it is available. */
  droppable: ListNode<Entry> | null;
  place: ListNode<Entry>;
  ready: ListNode<Entry> | null;
}

/** What became due: locks that ran out (available again), delays that passed, and expired messages. */
export interface Due {
  unlocked: BufferEntry[];
  expired: BufferEntry[];
}

/**
 * The messages that are held, in the order in which they arrived. It knows no clock and no network.
 *
 * | operation | cost |
 * | --- | --- |
 * | `add`, `oldest`, `remove`, counts | O(1) |
 * | `lock`, `detain`, `renew` | O(log n), for the deadline |
 * | `release` | O(log n) and the walk to the nearest available neighbour |
 * | `restore` | the walk from the front to its place |
 * | `peek(max)` | O(max) |
 * | `expire` | O(k log n) for k that are due |
 */
export class MessageBuffer {
  readonly #all = new LinkedList<Entry>();
  readonly #ready = new LinkedList<Entry>();
  /** The available ones of QoS 0. One that was given back stands last. */
  readonly #droppable = new LinkedList<Entry>();
  readonly #deadlines = new DeadlineHeap<Entry>();
  #sequence = 0;
  #bytes = 0;
  #locked = 0;

  /** Messages that can be taken. */
  get available(): number {
    return this.#ready.size;
  }

  /** Messages under a lock. */
  get locked(): number {
    return this.#locked;
  }

  /** All messages, the delayed ones too. */
  get size(): number {
    return this.#all.size;
  }

  /** Bytes held, with a fixed share for what surrounds each payload. */
  get bytes(): number {
    return this.#bytes;
  }

  /** When `expire` has work next; `Infinity` for never. */
  get nextDeadline(): number {
    return this.#deadlines.next;
  }

  add(delivery: Delivery, now: number, name: number | null = null): BufferEntry {
    const expiry = delivery.properties.messageExpiryInterval;
    const entry: Entry = {
      delivery,
      messageId: null,
      name,
      arrivedAt: now,
      expiresAt: expiry === undefined ? Infinity : now + expiry * 1000,
      deliveryCount: 0,
      state: "available",
      lock: null,
      deadline: Infinity,
      heapIndex: -1,
      sequence: this.#sequence++,
      cost: costOf(delivery),
      droppable: null,
      place: undefined as unknown as ListNode<Entry>,
      ready: null,
    };
    entry.place = this.#all.push(entry);
    entry.ready = this.#ready.push(entry);
    if (delivery.qos === 0) entry.droppable = this.#droppable.push(entry);
    this.#bytes += entry.cost;
    if (expiry !== undefined) this.#deadlines.set(entry, entry.expiresAt);
    return entry;
  }

  /** The available message that arrived first. */
  oldest(): BufferEntry | undefined {
    return this.#ready.first?.value;
  }

  /** The available message of QoS 0 that arrived first: the kind that may be dropped. */
  oldestDroppable(): BufferEntry | undefined {
    return this.#droppable.first?.value;
  }

  /** The first `max` available messages. */
  peek(max: number): BufferEntry[] {
    const entries: BufferEntry[] = [];
    for (const entry of this.#ready) {
      if (entries.length >= max) break;
      entries.push(entry);
    }
    return entries;
  }

  /** Locks an available message until `until` and counts the delivery. */
  lock(entry: BufferEntry, until: number): object {
    const held = entry as Entry;
    this.#withdraw(held);
    held.state = "locked";
    held.deliveryCount++;
    held.lock = {};
    this.#locked++;
    this.#deadlines.set(held, until);
    return held.lock;
  }

  /** Locks a message, whatever its state, until it is released or removed; not a delivery. */
  detain(entry: BufferEntry): object {
    const held = entry as Entry;
    if (held.state === "locked") this.#unlock(held);
    this.#withdraw(held);
    this.#deadlines.delete(held);
    held.state = "locked";
    this.#locked++;
    return held.lock = {};
  }

  /** Lets a lock run until `until`. */
  renew(entry: BufferEntry, until: number): void {
    this.#deadlines.set(entry as Entry, until);
  }

  /** Gives a message back to its place: now, or at `availableAt`. */
  release(entry: BufferEntry, availableAt?: number): void {
    const held = entry as Entry;
    if (held.state === "locked") this.#unlock(held);
    this.#withdraw(held);
    if (availableAt === undefined) {
      this.#offer(held);
    } else {
      held.state = "delayed";
      this.#deadlines.set(held, Math.min(availableAt, held.expiresAt));
    }
  }

  /** Lets go of a message, whatever its state. */
  remove(entry: BufferEntry): void {
    const held = entry as Entry;
    if (held.state === "removed") return;
    if (held.state === "locked") this.#unlock(held);
    this.#withdraw(held);
    this.#deadlines.delete(held);
    this.#all.remove(held.place);
    this.#bytes -= held.cost;
    held.state = "removed";
  }

  /** Puts a removed message back where it stood. */
  restore(entry: BufferEntry): void {
    const held = entry as Entry;
    if (held.state !== "removed") return;
    let after = this.#all.first;
    while (after !== null && after.value.sequence < held.sequence) after = after.next;
    held.place = after === null ? this.#all.push(held) : this.#all.insertBefore(after, held);
    this.#bytes += held.cost;
    this.#offer(held);
  }

  /** Moves on what is due at `now`: locks and delays end, expired messages go. */
  expire(now: number): Due {
    const due: Due = { unlocked: [], expired: [] };
    for (;;) {
      const entry = this.#deadlines.popDue(now);
      if (entry === undefined) return due;
      if (entry.expiresAt <= now) {
        this.remove(entry);
        due.expired.push(entry);
      } else if (entry.state === "locked") {
        this.#unlock(entry);
        this.#offer(entry);
        due.unlocked.push(entry);
      } else {
        this.#offer(entry);
      }
    }
  }

  #unlock(entry: Entry): void {
    entry.lock = null;
    this.#locked--;
    entry.state = "delayed";
    this.#deadlines.delete(entry);
  }

  #withdraw(entry: Entry): void {
    if (entry.ready === null) return;
    this.#ready.remove(entry.ready);
    entry.ready = null;
    if (entry.droppable !== null) this.#droppable.remove(entry.droppable);
    entry.droppable = null;
  }

  /** Makes it available at its place: beside the nearest neighbour, either way, that is available. */
  #offer(entry: Entry): void {
    entry.state = "available";
    if (entry.delivery.qos === 0) entry.droppable = this.#droppable.push(entry);
    if (entry.expiresAt !== Infinity) this.#deadlines.set(entry, entry.expiresAt);
    let before = entry.place.previous;
    let after = entry.place.next;
    while (before !== null && after !== null) {
      if (before.value.ready !== null || after.value.ready !== null) break;
      before = before.previous;
      after = after.next;
    }
    if (after !== null && after.value.ready !== null) {
      entry.ready = this.#ready.insertBefore(after.value.ready, entry);
    } else if (before !== null && before.value.ready !== null) {
      entry.ready = this.#ready.insertAfter(before.value.ready, entry);
    } else if (after === null) {
      entry.ready = this.#ready.push(entry); // Nothing behind it is available.
    } else {
      const first = this.#ready.first; // Nothing before it is available.
      entry.ready = first === null
        ? this.#ready.push(entry)
        : this.#ready.insertBefore(first, entry);
    }
  }
}

/** What a message counts for while it is held, in bytes. */
export function costOf(delivery: Delivery): number {
  return delivery.payload.byteLength + ENTRY_OVERHEAD;
}
