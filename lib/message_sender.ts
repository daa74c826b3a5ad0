import { Alarm } from "./alarm.ts";
import type { Connection, OutgoingMessage } from "./connection.ts";
import { type Deadline, DeadlineHeap } from "./deadline_heap.ts";
import { NotSupportedError, QueueClosedError, QueueFullError, TimeoutError } from "./errors.ts";
import { LinkedList, type ListNode } from "./linked_list.ts";

/** Publishes that may wait for their acknowledgement at once, where the broker allows more. */
const MAX_IN_FLIGHT = 4_096;

const encoder = new TextEncoder();

/** What a sender is made of. */
export interface SenderOptions {
  /** Milliseconds. */
  sendTimeout: number;
  maxPending: number;
}

interface Job extends Deadline {
  readonly message: OutgoingMessage;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  readonly signal: AbortSignal | undefined;
  readonly abort: () => void;
  /** Its place in the line, `null` once it was handed over. */
  waiting: ListNode<Job> | null;
  /** Forgets the publish, once it was handed over. */
  forget: (() => void) | null;
  /** Whether its caller was told. */
  settled: boolean;
}

/**
 * The sending half of a queue: a bounded line in order, a window as wide as the broker allows
 * ([MQTT-3.3.4-7]), and a deadline for each message. A message that was rejected is not sent later.
 */
export class MessageSender {
  readonly #connection: Connection;
  readonly #options: SenderOptions;
  readonly #line = new LinkedList<Job>();
  /** Handed over and not answered; those whose caller was told count for the window only. */
  readonly #inFlight = new Set<Job>();
  readonly #deadlines = new DeadlineHeap<Job>();
  readonly #alarm = new Alarm(() => this.#expire());
  readonly #flushed: (() => void)[] = [];
  #pending = 0;
  #pumping = false;

  constructor(connection: Connection, options: SenderOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /** Messages that the broker does not have yet. */
  get pending(): number {
    return this.#pending;
  }

  /**
   * Sends a message; resolves when the broker has it (QoS 0: when it is written).
   *
   * @throws {NotSupportedError} where it passes what the broker said it takes
   * @throws {QueueFullError} where `maxPending` messages wait
   * @throws {TimeoutError} after `sendTimeout`
   * @throws {ConnectionError} where the broker refuses it
   */
  send(message: OutgoingMessage, signal?: AbortSignal): Promise<void> {
    const { maxPending, sendTimeout } = this.#options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.pending >= maxPending) {
      const error = new QueueFullError(
        `Cannot send: ${maxPending} messages wait to be sent already`,
        maxPending,
      );
      return Promise.reject(error);
    }
    const passed = this.#limitPassedBy(message);
    if (passed !== null) {
      return Promise.reject(new NotSupportedError(`Cannot send to "${message.topic}": ${passed}`));
    }
    return new Promise((resolve, reject) => {
      const job: Job = {
        message,
        resolve,
        reject,
        signal,
        abort: () => this.#settle(job, () => reject(signal!.reason)),
        waiting: null,
        forget: null,
        settled: false,
        deadline: Infinity,
        heapIndex: -1,
      };
      signal?.addEventListener("abort", job.abort, { once: true });
      job.waiting = this.#line.push(job);
      this.#pending++;
      this.#deadlines.set(job, Date.now() + sendTimeout);
      this.#alarm.by(job.deadline);
      this.pump();
    });
  }

  /** Hands over what waits, as far as the window reaches. */
  pump(): void {
    if (this.#pumping) return; // QoS 0 answers while it is handed over.
    this.#pumping = true;
    while (this.#line.first !== null && this.#connection.writable) {
      const job = this.#line.first.value;
      const window = Math.min(this.#connection.limits?.receiveMaximum ?? 1, MAX_IN_FLIGHT);
      if (job.message.qos > 0 && this.#inFlight.size >= window) break;
      this.#line.remove(job.waiting!);
      job.waiting = null;
      this.#inFlight.add(job);
      this.#handOver(job);
    }
    this.#pumping = false;
  }

  /** Resolves when nothing is pending, or at once where there is no link to send over. */
  flush(): Promise<void> {
    if (this.pending === 0 || !this.#connection.writable) return Promise.resolve();
    return new Promise((resolve) => this.#flushed.push(resolve));
  }

  /** The link was lost: what waits for `flush` waits no more. */
  unlink(): void {
    for (const resolve of this.#flushed.splice(0)) resolve();
  }

  /** Rejects what is pending. */
  close(): void {
    const error = new QueueClosedError(
      "Cannot send: the queue was closed before the broker had it",
    );
    for (const job of [...this.#inFlight, ...this.#line]) {
      this.#settle(job, () => job.reject(error));
    }
    this.#alarm.stop();
  }

  #limitPassedBy(message: OutgoingMessage): string | null {
    const limits = this.#connection.limits;
    if (limits === null) return null;
    if (message.qos > limits.maximumQoS) {
      return `the broker takes QoS ${limits.maximumQoS} at most, received QoS ${message.qos}`;
    }
    if (message.retain && !limits.retainAvailable) return "the broker retains no messages";
    if (limits.maximumPacketSize === null) return null;
    const size = packetSize(message, limits.protocolVersion);
    if (size > limits.maximumPacketSize) {
      return `the broker takes packets of ${limits.maximumPacketSize} bytes at most, received ${size}`;
    }
    return null;
  }

  #handOver(job: Job): void {
    job.forget = this.#connection.publish(job.message, (error) => {
      this.#inFlight.delete(job);
      this.#settle(job, error === undefined ? job.resolve : () => job.reject(error));
      this.pump();
    });
  }

  #expire(): void {
    const { sendTimeout } = this.#options;
    for (;;) {
      const job = this.#deadlines.popDue(Date.now());
      if (job === undefined) break;
      const error = new TimeoutError(
        `Cannot send to "${job.message.topic}": the broker did not take it within ${sendTimeout} ms`,
        sendTimeout,
      );
      this.#settle(job, () => job.reject(error));
    }
    this.#alarm.by(this.#deadlines.next);
  }

  /** Tells the caller, once. What was handed over is not sent on another link then. */
  #settle(job: Job, tell: () => void): void {
    if (job.settled) return;
    job.settled = true;
    if (job.waiting !== null) this.#line.remove(job.waiting);
    job.waiting = null;
    if (this.#inFlight.has(job)) job.forget?.();
    this.#deadlines.delete(job);
    job.signal?.removeEventListener("abort", job.abort);
    this.#pending--;
    tell();
    if (this.#pending === 0) this.unlink();
  }
}

/** The bytes of the PUBLISH packet ([MQTT-3.3]). */
function packetSize({ topic, payload, properties }: OutgoingMessage, version: 4 | 5): number {
  const text = (value: string) => 2 + encoder.encode(value).byteLength;
  let rest = text(topic) + 2 + payload.byteLength;
  if (version === 5) {
    let size = 0;
    if (properties.contentType !== undefined) size += 1 + text(properties.contentType);
    if (properties.correlationData !== undefined) size += 3 + properties.correlationData.byteLength;
    if (properties.messageExpiryInterval !== undefined) size += 5;
    for (const [key, value] of Object.entries(properties.userProperties ?? {})) {
      for (const one of [value].flat()) size += 1 + text(key) + text(one);
    }
    rest += lengthBytes(size) + size;
  }
  return 1 + lengthBytes(rest) + rest;
}

/** The bytes that a length takes ([MQTT-1.5.5]). */
function lengthBytes(length: number): number {
  return length < 128 ? 1 : length < 16_384 ? 2 : length < 2_097_152 ? 3 : 4;
}
