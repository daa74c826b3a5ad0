import { Alarm } from "./alarm.ts";
import type { Connection, Delivery } from "./connection.ts";
import { decodeEnvelope } from "./envelope_codec.ts";
import { type BufferEntry, costOf, MessageBuffer } from "./message_buffer.ts";
import type { MessageEnvelope } from "./message_envelope.ts";
import type { ReceiveMode, ResolvedOptions } from "./queue_options.ts";
import { closed, lost, type Receipt, Receipts } from "./receipt.ts";
import { ReceiveWaiters } from "./receive_waiters.ts";
import { Repetitions } from "./repetitions.ts";

/** Reading goes on when what is held has fallen to this part of `maxBufferedBytes`. */
const RESUME_AT = 0.75;

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
  readonly #repetitions: Repetitions;
  readonly #receipts = new Receipts();
  #paused = false;
  #closed = false;

  constructor(connection: Connection, options: ResolvedOptions, handlers: ReceiverHandlers) {
    this.#connection = connection;
    this.#options = options;
    this.#handlers = handlers;
    this.#repetitions = new Repetitions(options.serializeEnvelope !== false);
  }

  /** What is held. */
  get held(): Pick<MessageBuffer, "available" | "locked" | "bytes"> {
    return this.#buffer;
  }

  /** Takes in a message that the connection delivered. */
  accept(delivery: Delivery): void {
    if (this.#closed) return;
    const name = this.#repetitions.nameOf(delivery);
    if (name !== null && this.#isRepetition(delivery, name)) {
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

  /** What is under way to settle the message, resolved however it goes; `null` where nothing is. */
  underWay(envelope: MessageEnvelope): Promise<void> | null {
    return this.#receipts.underWay(envelope);
  }

  /** Removes a message that was locked, or peeked and is still available. */
  complete(envelope: MessageEnvelope, outcome: Outcome = "completed"): void {
    const receipt = this.#receipts.of(envelope, VERBS[outcome]);
    if (receipt.removed) receipt.settled = true; // It is gone for good now.
    if (receipt.settled) return;
    this.#receipts.assertHeld(receipt, VERBS[outcome]);
    this.#receipts.end(envelope, receipt);
    this.#remove(receipt.entry, outcome);
  }

  /** Gives a message back to its place, now or after `delay` milliseconds. */
  abandon(envelope: MessageEnvelope, delay = 0): void {
    const receipt = this.#receipts.of(envelope, "abandon");
    const { entry, lock } = receipt;
    if (receipt.settled) return;
    if (lock === null) {
      if (entry.state !== "removed" || !receipt.removed) return; // Peeked: it is in its place.
      this.#buffer.restore(entry); // The broker has let go of it, memory has not.
    } else {
      this.#receipts.assertHeld(receipt, "abandon");
    }
    this.#receipts.end(envelope, receipt);
    if (this.#isExhausted(entry)) {
      this.#exhaust(entry);
      return;
    }
    this.#giveBack(entry, delay > 0 ? Date.now() + delay : undefined);
  }

  /** Locks an available message that was peeked; the copy becomes its holder. */
  lock(envelope: MessageEnvelope, lockTimeout: number): void {
    const receipt = this.#receipts.of(envelope, "lock");
    if (receipt.settled || receipt.lock !== null) throw lost(receipt, "lock");
    this.#receipts.assertHeld(receipt, "lock");
    this.#hold(envelope, receipt.entry, lockTimeout);
  }

  /** Lets a lock run for `lockTimeout` milliseconds from now. */
  renewLock(envelope: MessageEnvelope, lockTimeout: number): void {
    const receipt = this.#receipts.of(envelope, "renew the lock of");
    if (receipt.lock === null || receipt.settled) throw lost(receipt, "renew the lock of");
    this.#receipts.assertHeld(receipt, "renew the lock of");
    const until = Date.now() + lockTimeout;
    this.#renew(receipt.entry, until);
    envelope.lockedUntil = new Date(until);
  }

  /**
   * Removes a message once `work` is done; its lock does not run out meanwhile. Resolves with a copy,
   * or `null` where it was settled before.
   */
  async removeAfter(
    envelope: MessageEnvelope,
    outcome: Outcome,
    work: () => Promise<void>,
  ): Promise<MessageEnvelope | null> {
    const before = this.underWay(envelope);
    if (before !== null) await before;
    const receipt = this.#receipts.of(envelope, VERBS[outcome]);
    if (receipt.settled) return null;
    const copy = this.#envelopeOf(receipt.entry);
    receipt.underWay = this.#removeAfter(envelope, receipt, outcome, work);
    try {
      await receipt.underWay;
    } finally {
      receipt.underWay = null;
    }
    return copy;
  }

  /** Gives a message back after `delay` milliseconds, however often it was delivered. */
  postpone(envelope: MessageEnvelope, delay: number): void {
    if (this.#closed) return; // The broker has it still.
    const receipt = this.#receipts.of(envelope, "abandon");
    this.#receipts.end(envelope, receipt);
    this.#giveBack(receipt.entry, Date.now() + delay);
  }

  /** Drops and settles every available message; tells how many. */
  clear(): number {
    const entries = this.#buffer.peek(Infinity);
    for (const entry of entries) this.#remove(entry, "cleared");
    return entries.length;
  }

  /** Whether no more is read until there is room. */
  get isFull(): boolean {
    return this.#paused;
  }

  /** Rejects who waits. */
  rejectWaiting(error: Error): void {
    this.#waiters.rejectAll(error);
  }

  /** Rejects who waits. What is held is released: it was not acknowledged. */
  close(): void {
    this.#closed = true;
    this.#receipts.close();
    this.#alarm.stop();
    this.#waiters.rejectAll(closed("receive"));
  }

  async #removeAfter(
    envelope: MessageEnvelope,
    receipt: Receipt,
    outcome: Outcome,
    work: () => Promise<void>,
  ): Promise<void> {
    const { entry, lock, removed } = receipt;
    if (removed) {
      await work(); // The broker has let go of it already.
      this.#receipts.end(envelope, receipt);
      this.#handlers.onSettle(() => this.#envelopeOf(entry), outcome);
      return;
    }
    this.#receipts.assertHeld(receipt, VERBS[outcome]);
    const until = entry.deadline;
    if (lock === null) this.#buffer.detain(entry);
    else this.#buffer.renew(entry, Infinity);
    try {
      await work();
    } catch (error) {
      if (lock === null) this.#giveBack(entry);
      else this.#renew(entry, until);
      throw error;
    }
    if (this.#closed) throw closed(VERBS[outcome]);
    this.#receipts.end(envelope, receipt);
    this.#remove(entry, outcome);
  }

  #hand(entry: BufferEntry, mode: ReceiveMode): MessageEnvelope {
    const envelope = this.#decode(entry);
    if (mode === "receiveAndDelete") {
      entry.deliveryCount++;
      this.#receipts.give(envelope, entry, null, true);
      this.#remove(entry, "received");
      return envelope;
    }
    this.#hold(envelope, entry, this.#options.lockTimeout);
    return envelope;
  }

  /** Locks an available message for this envelope. */
  #hold(envelope: MessageEnvelope, entry: BufferEntry, lockTimeout: number): void {
    const until = Date.now() + lockTimeout;
    const lock = this.#buffer.lock(entry, until);
    this.#receipts.give(envelope, entry, lock);
    envelope.lockedUntil = new Date(until);
    this.#alarm.by(until);
  }

  /** A copy to look at. */
  #envelopeOf(entry: BufferEntry): MessageEnvelope {
    const envelope = this.#decode(entry);
    this.#receipts.give(envelope, entry);
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
    if (name !== null) this.#repetitions.settle(delivery, name);
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
    if (entry.expiresAt <= Date.now()) return this.#expire(); // Its time ran out under the lock.
    this.#alarm.by(this.#buffer.nextDeadline);
    this.#waiters.serve((mode) => this.take(mode));
    this.#regulate();
  }

  #isExhausted(entry: BufferEntry): boolean {
    return entry.deliveryCount >= this.#options.maxDeliveries;
  }

  /** Hands a message that was delivered too often to the dead letters, under a lock of its own. */
  #exhaust(entry: BufferEntry): void {
    const lock = this.#buffer.detain(entry);
    const envelope = this.#decode(entry);
    this.#receipts.give(envelope, entry, lock);
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

  #isRepetition(delivery: Delivery, name: number): boolean {
    if (this.#repetitions.wasSettled(delivery, name)) return true;
    if (!this.#repetitions.wasSentAgain(delivery, name)) return false;
    this.#handlers.onRepeated();
    return true;
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
