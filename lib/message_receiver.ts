import { Alarm } from "./alarm.ts";
import type { Connection, Delivery } from "./connection.ts";
import { decodeEnvelope } from "./envelope_codec.ts";
import { LockLostError, QueueClosedError } from "./errors.ts";
import { type BufferEntry, costOf, MessageBuffer } from "./message_buffer.ts";
import { MessageEnvelope, receiptOf, setReceipt } from "./message_envelope.ts";
import type { ReceiveMode, ResolvedOptions } from "./queue_options.ts";
import { RecentNames } from "./recent_names.ts";
import { isResent, nameOf } from "./resent_mark.ts";
import { ReceiveWaiters } from "./receive_waiters.ts";

/** Reading goes on when what is held has fallen to this part of `maxBufferedBytes`. */
const RESUME_AT = 0.75;

/** How many messages are remembered by name, at the least. */
const REMEMBERED = 32_768;

/** How a message ended, or went back. */
export type Outcome = "received" | "completed" | "abandoned" | "dead-lettered" | "cleared";

const VERBS: Record<Outcome, string> = {
  received: "receive",
  completed: "complete",
  abandoned: "abandon",
  "dead-lettered": "dead-letter",
  cleared: "clear",
};

/** What a receiver reports. Envelopes are made only where they are asked for. */
export interface ReceiverHandlers {
  onArrive(envelope: () => MessageEnvelope): void;
  onSettle(envelope: () => MessageEnvelope, outcome: Outcome): void;
  /** A message came that its sender had sent before, and that had come. It was let go. */
  onRepeated(): void;
  onDrop(envelope: () => MessageEnvelope, reason: "overflow" | "expired"): void;
  /** A message was delivered `maxDeliveries` times. It stays locked until it is settled. */
  onExhausted(envelope: MessageEnvelope): void;
}

/** What ties an envelope that was handed out to the message that is held. It is the lock's reference. */
class Receipt {
  readonly owner: MessageReceiver;
  readonly entry: BufferEntry;
  /** `null` for a copy that was peeked and for a message that was removed at once. */
  readonly lock: object | null;
  /** Received and deleted. */
  readonly removed: boolean;
  settled = false;

  constructor(owner: MessageReceiver, entry: BufferEntry, lock: object | null, removed = false) {
    this.owner = owner;
    this.entry = entry;
    this.lock = lock;
    this.removed = removed;
  }
}

/**
 * The receiving half of a queue: what arrived and is held, who waits for it, and how it is settled.
 * An envelope is made anew each time one is handed out, so nobody holds the same one twice.
 */
export class MessageReceiver {
  readonly #connection: Connection;
  readonly #options: ResolvedOptions;
  readonly #handlers: ReceiverHandlers;
  readonly #buffer = new MessageBuffer();
  readonly #waiters = new ReceiveWaiters();
  readonly #alarm = new Alarm(() => this.#expire());
  /** Names of messages that were settled, by packet id: their acknowledgement may get lost with the link. */
  readonly #settledNames = new Map<number, string>();
  /** What came lately, so that a repetition by its sender is recognised. */
  readonly #names = new RecentNames(REMEMBERED);
  #paused = false;
  #closed = false;

  constructor(connection: Connection, options: ResolvedOptions, handlers: ReceiverHandlers) {
    this.#connection = connection;
    this.#options = options;
    this.#handlers = handlers;
  }

  /** What is held. */
  get held(): Pick<MessageBuffer, "available" | "locked" | "bytes"> {
    return this.#buffer;
  }

  /** Takes in a message that the connection delivered. */
  accept(delivery: Delivery): void {
    if (this.#closed) return;
    const name = delivery.qos === 0 ? null : nameOf(delivery, this.#readsJson);
    if (name !== null && (this.#wasSettled(delivery, name) || this.#isRepetition(delivery, name))) {
      this.#connection.settle(delivery);
      return;
    }
    if (delivery.qos === 0 && !this.#makeRoom(delivery)) return;
    const entry = this.#buffer.add(delivery, Date.now(), name);
    this.#alarm.by(this.#buffer.nextDeadline);
    this.#handlers.onArrive(() => this.#envelopeOf(entry));
    this.#waiters.serve((mode) => this.take(mode));
    this.#regulate();
  }

  /** The oldest available message, or `null` once `waitTimeout` milliseconds have passed. */
  receive(
    waitTimeout: number,
    mode: ReceiveMode,
    signal?: AbortSignal,
  ): Promise<MessageEnvelope | null> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#closed) return Promise.reject(closed("receive"));
    const envelope = this.take(mode);
    if (envelope !== null || waitTimeout === 0) return Promise.resolve(envelope);
    return this.#waiters.wait({ mode, waitTimeout, signal });
  }

  /** The oldest available message at once, or `null`. */
  take(mode: ReceiveMode): MessageEnvelope | null {
    const entry = this.#buffer.oldest();
    return entry === undefined ? null : this.#hand(entry, mode);
  }

  /** Copies of the first `max` available messages. */
  peek(max: number): MessageEnvelope[] {
    return this.#buffer.peek(max).map((entry) => this.#envelopeOf(entry));
  }

  /** Removes a message that was locked, or peeked and is still available. */
  complete(envelope: MessageEnvelope, outcome: Outcome = "completed"): void {
    const receipt = this.#receiptOf(envelope, VERBS[outcome]);
    if (receipt.removed) receipt.settled = true; // It is gone for good now.
    if (receipt.settled) return;
    this.#assertHeld(receipt, VERBS[outcome]);
    this.#end(envelope, receipt);
    this.#remove(receipt.entry, outcome);
  }

  /** Gives a message back to its place, now or after `delay` milliseconds. */
  abandon(envelope: MessageEnvelope, delay = 0): void {
    const receipt = this.#receiptOf(envelope, "abandon");
    const { entry, lock } = receipt;
    if (receipt.settled) return;
    if (lock === null) {
      if (entry.state !== "removed" || !receipt.removed) return; // Peeked: it is in its place.
      this.#buffer.restore(entry); // The broker has let go of it, memory has not.
    } else {
      this.#assertHeld(receipt, "abandon");
    }
    this.#end(envelope, receipt);
    if (this.#isExhausted(entry)) {
      this.#exhaust(entry);
      return;
    }
    this.#giveBack(entry, delay > 0 ? Date.now() + delay : undefined);
  }

  /** Locks an available message that was peeked; the copy becomes its holder. */
  lock(envelope: MessageEnvelope, lockTimeout: number): void {
    const receipt = this.#receiptOf(envelope, "lock");
    if (receipt.settled || receipt.lock !== null) throw lost(receipt.entry, "lock");
    this.#assertHeld(receipt, "lock");
    this.#hold(envelope, receipt.entry, lockTimeout);
  }

  /** Lets a lock run for `lockTimeout` milliseconds from now. */
  renewLock(envelope: MessageEnvelope, lockTimeout: number): void {
    const receipt = this.#receiptOf(envelope, "renew the lock of");
    if (receipt.lock === null || receipt.settled) throw lost(receipt.entry, "renew the lock of");
    this.#assertHeld(receipt, "renew the lock of");
    const until = Date.now() + lockTimeout;
    this.#renew(receipt.entry, until);
    envelope.lockedUntil = new Date(until);
  }

  /** Removes a message once `work` is done; its lock does not run out meanwhile. */
  async removeAfter(
    envelope: MessageEnvelope,
    outcome: Outcome,
    work: () => Promise<void>,
  ): Promise<void> {
    const receipt = this.#receiptOf(envelope, VERBS[outcome]);
    const { entry, lock, removed } = receipt;
    if (receipt.settled) return;
    if (removed) {
      await work(); // The broker has let go of it already.
      this.#end(envelope, receipt);
      this.#handlers.onSettle(() => this.#envelopeOf(entry), outcome);
      return;
    }
    this.#assertHeld(receipt, VERBS[outcome]);
    const until = entry.deadline;
    if (lock === null) this.#buffer.detain(entry);
    else this.#buffer.renew(entry, Infinity);
    receipt.settled = true; // Whoever settles it meanwhile comes too late.
    try {
      await work();
    } catch (error) {
      receipt.settled = false;
      if (lock === null) this.#giveBack(entry);
      else this.#renew(entry, until);
      throw error;
    }
    if (this.#closed) throw closed(VERBS[outcome]);
    this.#end(envelope, receipt);
    this.#remove(entry, outcome);
  }

  /** Gives a message back after `delay` milliseconds, however often it was delivered. */
  postpone(envelope: MessageEnvelope, delay: number): void {
    if (this.#closed) return; // The broker has it still.
    const receipt = this.#receiptOf(envelope, "abandon");
    this.#end(envelope, receipt);
    this.#giveBack(receipt.entry, Date.now() + delay);
  }

  /** Drops and settles every available message; tells how many. */
  clear(): number {
    const entries = this.#buffer.peek(Infinity);
    for (const entry of entries) this.#remove(entry, "cleared");
    return entries.length;
  }

  /** Rejects who waits. What is held is released: it was not acknowledged. */
  close(): void {
    this.#closed = true;
    this.#alarm.stop();
    this.#waiters.rejectAll(closed("receive"));
  }

  #hand(entry: BufferEntry, mode: ReceiveMode): MessageEnvelope {
    const envelope = this.#decode(entry);
    if (mode === "receiveAndDelete") {
      entry.deliveryCount++;
      envelope.deliveryCount = entry.deliveryCount;
      setReceipt(envelope, new Receipt(this, entry, null, true));
      this.#remove(entry, "received");
      return envelope;
    }
    this.#hold(envelope, entry, this.#options.lockTimeout);
    return envelope;
  }

  /** Locks an available message for this envelope. */
  #hold(envelope: MessageEnvelope, entry: BufferEntry, lockTimeout: number): void {
    const until = Date.now() + lockTimeout;
    const receipt = new Receipt(this, entry, this.#buffer.lock(entry, until));
    envelope.deliveryCount = entry.deliveryCount;
    envelope.lockedUntil = new Date(until);
    setReceipt(envelope, receipt);
    envelope.setReference(receipt);
    this.#alarm.by(until);
  }

  /** A copy to look at. */
  #envelopeOf(entry: BufferEntry): MessageEnvelope {
    const envelope = this.#decode(entry);
    envelope.deliveryCount = entry.deliveryCount;
    setReceipt(envelope, new Receipt(this, entry, null));
    return envelope;
  }

  #decode(entry: BufferEntry): MessageEnvelope {
    const { serializeEnvelope } = this.#options;
    const { envelope } = decodeEnvelope(entry.delivery, serializeEnvelope, entry.arrivedAt);
    envelope.messageId = entry.messageId ??= envelope.messageId;
    // Whoever gets it may write into it or transfer it, and the message may yet come again.
    if (envelope.message === entry.delivery.payload) envelope.message = envelope.message.slice();
    return envelope;
  }

  #remove(entry: BufferEntry, outcome: Outcome): void {
    const { delivery, name } = entry;
    this.#buffer.remove(entry);
    if (name !== null) this.#settledNames.set(delivery.packetId!, name);
    this.#connection.settle(delivery);
    this.#handlers.onSettle(() => this.#envelopeOf(entry), outcome);
    this.#regulate();
  }

  #renew(entry: BufferEntry, until: number): void {
    this.#buffer.renew(entry, until);
    this.#alarm.by(until);
  }

  #giveBack(entry: BufferEntry, availableAt?: number): void {
    this.#buffer.release(entry, availableAt);
    this.#handlers.onSettle(() => this.#envelopeOf(entry), "abandoned");
    this.#alarm.by(this.#buffer.nextDeadline);
    this.#waiters.serve((mode) => this.take(mode));
    this.#regulate();
  }

  #end(envelope: MessageEnvelope, receipt: Receipt): void {
    receipt.settled = true;
    envelope.setReference(null);
    envelope.lockedUntil = null;
  }

  #receiptOf(envelope: MessageEnvelope, action: string): Receipt {
    if (this.#closed) throw closed(action);
    if (!(envelope instanceof MessageEnvelope)) {
      throw new TypeError(`Cannot ${action}: a MessageEnvelope is needed, received ${envelope}`);
    }
    const reference = envelope.getReference();
    const receipt = reference instanceof Receipt ? reference : receiptOf(envelope);
    if (receipt instanceof Receipt && receipt.owner !== this && receipt.owner.#closed) {
      throw lost(receipt.entry, action); // It was received before the queue was closed.
    }
    if (!(receipt instanceof Receipt) || receipt.owner !== this) {
      throw new TypeError(
        `Cannot ${action} a message: it was not received from this queue, received ${envelope.messageId}`,
      );
    }
    return receipt;
  }

  #assertHeld(receipt: Receipt, action: string): void {
    const { entry, lock } = receipt;
    if (lock === null ? entry.state !== "available" : entry.lock !== lock) {
      throw lost(entry, action);
    }
  }

  #isExhausted(entry: BufferEntry): boolean {
    return entry.deliveryCount >= this.#options.maxDeliveries;
  }

  /** Hands a message that was delivered too often to the dead letters, under a lock of its own. */
  #exhaust(entry: BufferEntry): void {
    const receipt = new Receipt(this, entry, this.#buffer.detain(entry));
    const envelope = this.#decode(entry);
    envelope.deliveryCount = entry.deliveryCount;
    setReceipt(envelope, receipt);
    envelope.setReference(receipt);
    this.#handlers.onExhausted(envelope);
  }

  #expire(): void {
    const due = this.#buffer.expire(Date.now());
    for (const entry of due.expired) {
      this.#connection.settle(entry.delivery);
      this.#handlers.onDrop(() => this.#envelopeOf(entry), "expired");
    }
    for (const entry of due.unlocked) {
      if (entry.state !== "available") continue; // An event's listener was quicker.
      if (this.#isExhausted(entry)) this.#exhaust(entry);
      else this.#handlers.onSettle(() => this.#envelopeOf(entry), "abandoned");
    }
    this.#alarm.by(this.#buffer.nextDeadline);
    this.#waiters.serve((mode) => this.take(mode));
    this.#regulate();
  }

  /**
   * Whether this is a message that was settled and came again: its PUBACK was lost with the link, or
   * the broker starts QoS 2 anew (aedes does). The packet id alone does not tell, as the broker may
   * have given it to a new message that was lost too: the name must be the same.
   */
  #wasSettled({ dup, packetId }: Delivery, name: string): boolean {
    return dup && this.#settledNames.get(packetId!) === name;
  }

  /**
   * Whether this is a message that its sender sent again, because an acknowledgement was lost with a
   * link, though it had come. The broker took it for a new one.
   */
  #isRepetition(delivery: Delivery, name: string): boolean {
    if (isResent(delivery, this.#readsJson) && this.#names.has(name)) {
      this.#handlers.onRepeated();
      return true;
    }
    this.#names.add(name);
    return false;
  }

  /** Whether a payload may be an envelope, more than a body. */
  get #readsJson(): boolean {
    return this.#options.serializeEnvelope !== false;
  }

  /** Makes room for a message of QoS 0, which is not held back by the broker. */
  #makeRoom(delivery: Delivery): boolean {
    const { maxBufferedBytes, overflow, serializeEnvelope } = this.#options;
    const cost = costOf(delivery);
    const evicts = overflow === "drop-oldest" && cost < maxBufferedBytes;
    while (this.#buffer.bytes + cost >= maxBufferedBytes) {
      const oldest = evicts ? this.#buffer.oldestDroppable() : undefined;
      if (oldest === undefined) {
        const now = Date.now();
        this.#handlers.onDrop(
          () => decodeEnvelope(delivery, serializeEnvelope, now).envelope,
          "overflow",
        );
        return false;
      }
      this.#buffer.remove(oldest);
      this.#handlers.onDrop(() => this.#envelopeOf(oldest), "overflow");
    }
    return true;
  }

  /** Stops reading where too much is held, and goes on when there is room. */
  #regulate(): void {
    const { maxBufferedBytes } = this.#options;
    const { bytes } = this.#buffer;
    const paused = this.#paused ? bytes > maxBufferedBytes * RESUME_AT : bytes >= maxBufferedBytes;
    if (paused === this.#paused) return;
    this.#paused = paused;
    this.#connection.setPaused(paused);
  }
}

function closed(action: string): QueueClosedError {
  return new QueueClosedError(`Cannot ${action} a message: the queue was closed`);
}

function lost(entry: BufferEntry, action: string): LockLostError {
  return new LockLostError(
    `Cannot ${action} the message ${entry.messageId}: its lock ran out or another receiver has it`,
    entry.messageId!,
  );
}
