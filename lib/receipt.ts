import type { BufferEntry } from "./message_buffer.ts";

/**
 * What ties an envelope that was handed out to the message that is held. It is the lock's reference.
 *
 * @typeParam Owner who handed it out
 */
export class Receipt<Owner> {
  readonly owner: Owner;
  readonly entry: BufferEntry;
  /** `null` for a copy that was peeked and for a message that was removed at once. */
  readonly lock: object | null;
  /** Received and deleted. */
  readonly removed: boolean;
  settled = false;
  /** Settles it once that is done, or leaves it as it is where that fails. */
  underWay: Promise<void> | null = null;

  constructor(owner: Owner, entry: BufferEntry, lock: object | null, removed = false) {
    this.owner = owner;
    this.entry = entry;
    this.lock = lock;
    this.removed = removed;
  }
}
