import { Alarm } from "./alarm.ts";
import { limitPassedBy } from "./broker_limits.ts";
import type { Connection, OutgoingMessage, Publish } from "./connection.ts";
import { NotSupportedError, QueueClosedError, QueueFullError, TimeoutError } from "./errors.ts";
import { LinkedList, type ListNode } from "./linked_list.ts";

/** Publishes that may wait for their acknowledgement at once, where the broker allows more. */
const MAX_IN_FLIGHT = 4_096;

/** What a sender is made of. */
export interface SenderOptions {
  /** Milliseconds. */
  sendTimeout: number;
  maxPending: number;
}

/** A message from `send` to its answer. Thousands wait at a time, so it holds little. */
class Job implements Publish {
  readonly message: OutgoingMessage;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
  /** What its caller waits for. */
  readonly done: Promise<void>;
  resolve!: () => void;
  reject!: (error: unknown) => void;
  readonly #answered: (job: Job, error: Error | undefined) => void;
  packetId = 0;
  /** Its place among the pending ones, `null` once its caller was told. */
  place: ListNode<Job> | null = null;
  /** Whether it was handed over and is not answered. */
  underWay = false;
  signal: AbortSignal | undefined;
  abort: (() => void) | undefined;
  onSent: (() => void) | undefined;

  constructor(
    message: OutgoingMessage,
    deadline: number,
    answered: (job: Job, error: Error | undefined) => void,
  ) {
    this.message = message;
    this.deadline = deadline;
    this.#answered = answered;
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  answer(error?: Error): void {
    this.#answered(this, error);
  }
}

/**
 * The sending half of a queue: a bounded line in order, a window as wide as the broker allows
 * ([MQTT-3.3.4-7]), and a deadline for each message. A message that was rejected is not sent later.
 */
export class MessageSender {
  readonly #connection: Connection;
  readonly #options: SenderOptions;
  /** In order, and so by deadline: first those that were handed over, then those that wait. */
  readonly #pending = new LinkedList<Job>();
  readonly #alarm = new Alarm(() => this.#expire());
  readonly #flushed: (() => void)[] = [];
  /** The first that waits. */
  #next: ListNode<Job> | null = null;
  /** Handed over and not answered; those whose caller was told count too. */
  #inFlight = 0;
  #pumping = false;
  readonly #answered = (job: Job, error: Error | undefined): void => {
    this.#inFlight--;
    job.underWay = false;
    if (error !== undefined) this.#fail(job, error);
    else if (this.#end(job)) {
      job.onSent?.();
      job.resolve();
    }
    this.pump();
  };

  constructor(connection: Connection, options: SenderOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /** Messages that the broker does not have yet. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Whether one more would be refused. */
  get isFull(): boolean {
    return this.pending >= this.#options.maxPending;
  }

  /**
   * Sends a message; resolves when the broker has it (QoS 0: when it is written).
   *
   * @param onSent told then; a promise more for each message would cost more
   * @throws {NotSupportedError} where it passes what the broker said it takes
   * @throws {QueueFullError} where `maxPending` messages wait
   * @throws {TimeoutError} after `sendTimeout`
   * @throws {ConnectionError} where the broker refuses it
   */
  send(message: OutgoingMessage, signal?: AbortSignal, onSent?: () => void): Promise<void> {
    const { maxPending, sendTimeout } = this.#options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.isFull) {
      const error = new QueueFullError(
        `Cannot send: ${maxPending} messages wait to be sent already`,
        maxPending,
      );
      return Promise.reject(error);
    }
    const { limits } = this.#connection;
    const passed = limits === null ? null : limitPassedBy(message, limits);
    if (passed !== null) {
      return Promise.reject(new NotSupportedError(`Cannot send to "${message.topic}": ${passed}`));
    }
    const job = new Job(message, Date.now() + sendTimeout, this.#answered);
    job.onSent = onSent;
    if (signal !== undefined) {
      job.signal = signal;
      job.abort = () => this.#fail(job, signal.reason);
      signal.addEventListener("abort", job.abort, { once: true });
    }
    job.place = this.#pending.push(job);
    this.#next ??= job.place;
    this.#alarm.by(job.deadline);
    this.pump();
    return job.done;
  }

  /** Hands over what waits, as far as the window reaches. */
  pump(): void {
    if (this.#pumping) return; // QoS 0 answers while it is handed over.
    this.#pumping = true;
    while (this.#next !== null && this.#connection.writable) {
      const job: Job = this.#next.value;
      const window = Math.min(this.#connection.limits?.receiveMaximum ?? 1, MAX_IN_FLIGHT);
      if (job.message.qos > 0 && this.#inFlight >= window) break;
      this.#next = this.#next.next;
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
  close(
    error: Error = new QueueClosedError(
      "Cannot send: the queue was closed before the broker had it",
    ),
  ): void {
    for (const job of [...this.#pending]) this.#fail(job, error);
    this.#alarm.stop();
  }

  #handOver(job: Job): void {
    this.#inFlight++;
    job.underWay = true;
    this.#connection.publish(job);
  }

  #expire(): void {
    const { sendTimeout } = this.#options;
    const now = Date.now();
    for (let first = this.#pending.first; first !== null; first = this.#pending.first) {
      const { message, deadline } = first.value;
      if (deadline > now) return this.#alarm.by(deadline);
      const error = new TimeoutError(
        `Cannot send to "${message.topic}": the broker did not take it within ${sendTimeout} ms`,
        sendTimeout,
      );
      this.#fail(first.value, error);
    }
  }

  /** Rejects it. What was handed over is not sent on another link then. */
  #fail(job: Job, error: unknown): void {
    if (this.#end(job)) job.reject(error);
  }

  /** Takes it out of the line; `false` where its caller was told already. */
  #end(job: Job): boolean {
    const { place } = job;
    if (place === null) return false;
    job.place = null;
    if (this.#next === place) this.#next = place.next;
    this.#pending.remove(place);
    if (job.underWay) this.#connection.forget(job);
    if (job.abort !== undefined) job.signal!.removeEventListener("abort", job.abort);
    if (this.pending === 0) this.unlink();
    return true;
  }
}
