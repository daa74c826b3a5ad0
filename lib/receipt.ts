import { LockLostError, QueueClosedError } from "./errors.ts";
import type { BufferEntry } from "./message_buffer.ts";
import { MessageEnvelope, receiptOf, setReceipt } from "./message_envelope.ts";

/** What ties an envelope that was handed out to the message that is held. It is the lock's reference. */
export class Receipt {
  readonly owner: Receipts;
  readonly entry: BufferEntry;
  /** `null` for a copy that was peeked and for a message that was removed at once. */
  readonly lock: object | null;
  /** Received and deleted. */
  readonly removed: boolean;
  settled = false;
  /** Settles it once that is done, or leaves it as it is where that fails. */
  underWay: Promise<void> | null = null;

  constructor(owner: Receipts, entry: BufferEntry, lock: object | null, removed: boolean) {
    this.owner = owner;
    this.entry = entry;
    this.lock = lock;
    this.removed = removed;
  }
}

/** The receipts of one receiver: given with its envelopes, and read when these come back. */
export class Receipts {
  #closed = false;

  /** Whoever comes back with an envelope from now on is refused. */
  close(): void {
    this.#closed = true;
  }

  /**
   * Ties an envelope to its message.
   *
   * @param lock who holds it, which makes the receipt the envelope's reference; `null` without a lock
   * @param removed whether it was received and deleted
   */
  give(
    envelope: MessageEnvelope,
    entry: BufferEntry,
    lock: object | null = null,
    removed = false,
  ): void {
    const receipt = new Receipt(this, entry, lock, removed);
    envelope.deliveryCount = entry.deliveryCount;
    setReceipt(envelope, receipt);
    if (lock !== null) envelope.setReference(receipt);
  }

  /**
   * The receipt of an envelope.
   *
   * @param action names what is to be done in errors, such as `complete`
   * @throws {QueueClosedError} where the receiver is closed
   * @throws {LockLostError} where the envelope came from one that was closed
   * @throws {TypeError} where it did not come from this receiver
   */
  of(envelope: MessageEnvelope, action: string): Receipt {
    if (this.#closed) throw closed(action);
    if (!(envelope instanceof MessageEnvelope)) {
      throw new TypeError(`Cannot ${action}: a MessageEnvelope is needed, received ${envelope}`);
    }
    const reference = envelope.getReference();
    const receipt = reference instanceof Receipt ? reference : receiptOf(envelope);
    if (receipt instanceof Receipt && receipt.owner !== this && receipt.owner.#closed) {
      throw lost(receipt, action); // It was received before the queue was closed.
    }
    if (!(receipt instanceof Receipt) || receipt.owner !== this) {
      throw new TypeError(
        `Cannot ${action} a message: it was not received from this queue, received ${envelope.messageId}`,
      );
    }
    return receipt;
  }

  /** What is under way to settle the message, resolved however it goes; `null` where nothing is. */
  underWay(envelope: MessageEnvelope): Promise<void> | null {
    const receipt = receiptOf(envelope);
    if (!(receipt instanceof Receipt) || receipt.underWay === null) return null;
    return receipt.underWay.catch(() => {}); // Whoever began it is told.
  }

  /**
   * Refuses who does not hold the message any more.
   *
   * @throws {LockLostError} where the lock ran out or another receiver has it
   */
  assertHeld(receipt: Receipt, action: string): void {
    const { entry, lock } = receipt;
    const held = lock === null ? entry.state === "available" : entry.lock === lock;
    if (!held) throw lost(receipt, action);
  }

  /** The envelope stands for its message no more. */
  end(envelope: MessageEnvelope, receipt: Receipt): void {
    receipt.settled = true;
    envelope.setReference(null);
    envelope.lockedUntil = null;
  }
}

/** Why a closed receiver refuses. */
export function closed(action: string): QueueClosedError {
  return new QueueClosedError(`Cannot ${action} a message: the queue was closed`);
}

/** Why who lost a message is refused. */
export function lost({ entry }: Receipt, action: string): LockLostError {
  return new LockLostError(
    `Cannot ${action} the message ${entry.messageId}: its lock ran out or another receiver has it`,
    entry.messageId!,
  );
}
