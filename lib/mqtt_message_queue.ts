import { abortable } from "./abortable.ts";
import {
  assertCount,
  assertDuration,
  assertEnvelope,
  assertMode,
  assertSendOptions,
  checkedWait,
  type DeadLetterOptions,
  type ListenOptions,
  type ReceiveOptions,
  type SendOptions,
  type WaitOptions,
} from "./call_options.ts";
import { ConfigParams } from "./config_params.ts";
import type { LinkState } from "./connection.ts";
import { deadLetterFolder, DeadLetters, type DeadLetterStore } from "./dead_letters.ts";
import { ConfigError, QueueClosedError } from "./errors.ts";
import { MessageEnvelope } from "./message_envelope.ts";
import { capabilitiesOf, type QueueCapabilities } from "./queue_capabilities.ts";
import { QueueEventTarget } from "./queue_events.ts";
import {
  type OptionValues,
  type QueueOptions,
  readConfigParams,
  readTypedOptions,
  resolveOptions,
} from "./queue_options.ts";
import { QueueSession } from "./queue_session.ts";
import { createCounters, type QueueCounters, traceReceive } from "./telemetry.ts";

/** A snapshot of a queue. */
export interface QueueStats extends QueueCounters {
  /** The link to the broker. */
  state: LinkState;
  /** Messages that `receive` can take. */
  available: number;
  /** Messages under a lock. */
  locked: number;
  /** Bytes that are held for both. */
  bufferedBytes: number;
  /** Messages that the broker does not have yet. */
  pendingSends: number;
}

/** An `open` at work. */
interface Opening {
  readonly cancel: AbortController;
  readonly done: Promise<void>;
  /** How many calls wait for it. */
  callers: number;
}

/** What `listen` hands messages to. */
export type MessageReceiverLike =
  | ((envelope: MessageEnvelope, queue: MqttMessageQueue) => unknown)
  | { receiveMessage(envelope: MessageEnvelope, queue: MqttMessageQueue): unknown };

/**
 * A message queue over an MQTT broker.
 *
 * - The broker holds a message until it is settled: what a process had received but not settled
 *   when it died comes again (QoS 1 and 2, with a `clientId`).
 * - `receive` removes a message; under `peekLock` it locks it until `complete` or `abandon`.
 * - One topic is for publishing and subscribing. A queue that is not subscribed gets nothing: it
 *   subscribes at the first peek, receive or count, or in `open` with `autoSubscribe`.
 * - Every wait ends: by its deadline, its signal or `close`.
 * - A lost link is made again with backoff; sends wait for it as long as `sendTimeout` allows.
 *
 * @example
 * ```ts no-assert
 * import { MessageEnvelope, MqttMessageQueue } from "../mod.ts";
 * await using queue = new MqttMessageQueue("mytopic", { autoSubscribe: true });
 * await queue.open();
 * await queue.send(null, new MessageEnvelope("123", "mymessage", "ABC123"));
 * console.log((await queue.receive(null, 10_000))?.getMessageAsString()); // ABC123
 * ```
 */
export class MqttMessageQueue extends QueueEventTarget implements AsyncDisposable {
  readonly #name: string | undefined;
  readonly #values: OptionValues;
  readonly #counters: QueueCounters = createCounters();
  readonly #deadLetters: DeadLetters;
  #session: QueueSession | null = null;
  #opening: Opening | null = null;
  #closing: Promise<void> | null = null;
  /** Aborted by `close`: whatever `open` was called before it ends. */
  #untilClose = new AbortController();

  /**
   * Makes a queue that is not open yet.
   *
   * @param name the queue's name, and its topic unless `topic` is configured
   * @throws {ConfigError} naming the option that is unknown, ill-typed or out of range
   * @throws {TypeError} where the name is no text
   */
  constructor(name?: string, options: QueueOptions = {}) {
    super();
    if (typeof (name ?? "") !== "string") {
      throw new TypeError(`Cannot make a queue: its name must be text, received ${name}`);
    }
    this.#name = name;
    this.#values = readTypedOptions(options);
    this.#deadLetters = new DeadLetters(
      () => this.#assertOpen("look at the dead letters").connection,
      () => deadLetterFolder(resolveOptions(this.#values).deadLetterPrefix, this.getName()),
      (...copy) => this.#assertOpen("dead-letter").publishRetained(...copy),
      (envelope, options) => this.#assertOpen("redrive").send(null, envelope, options, true),
    );
  }

  /**
   * Configures the queue before `open`; what was set before and is not named stays.
   *
   * @param config `ConfigParams`, an object with dotted keys, or a nested one
   * @throws {ConfigError} naming the key that is unknown, ill-typed or out of range
   */
  configure(config: ConfigParams | Record<string, unknown>): void {
    if (this.#session !== null || this.#opening !== null) {
      throw new ConfigError("Cannot configure: the queue is open", "");
    }
    if (typeof config !== "object" || config === null || Array.isArray(config)) {
      throw new ConfigError("Cannot configure: ConfigParams or an object is needed", "");
    }
    const params = config instanceof ConfigParams ? config : ConfigParams.fromObject(config);
    const values = readConfigParams(params);
    // Parts of an address replace one that was given whole before.
    if (["protocol", "host", "port"].some((part) => values.has(part))) this.#values.delete("url");
    for (const [name, value] of values) this.#values.set(name, value);
  }

  /**
   * Connects to the broker, and subscribes with `autoSubscribe`. One attempt: where it fails,
   * nothing is left running. An open queue stays as it is.
   *
   * @param _correlationId ties it to other work
   * @throws {ConnectionError} where the broker is not there or refuses us
   * @throws {TimeoutError} where it does not answer within `connectTimeout`
   * @throws {ConfigError} where no topic is configured
   */
  async open(_correlationId: string | null = null, options: WaitOptions = {}): Promise<void> {
    const { signal } = options;
    signal?.throwIfAborted();
    const { signal: closed } = this.#untilClose;
    const ended = signal === undefined ? closed : AbortSignal.any([signal, closed]);
    if (this.#closing !== null) await abortable(this.#closing, ended);
    while (this.#opening?.cancel.signal.aborted) { // Nobody wants that one any more.
      await abortable(this.#opening.done.catch(() => {}), ended);
    }
    ended.throwIfAborted();
    if (this.#session !== null) return;
    const opening = this.#opening ??= this.#beginOpening();
    opening.callers++;
    try {
      await abortable(opening.done, ended);
    } catch (error) {
      if (opening.callers === 1) {
        opening.cancel.abort(error); // Nobody else waits for it.
        await opening.done.catch(() => {}); // The error is the caller's already.
      }
      throw error;
    } finally {
      opening.callers--;
    }
  }

  /**
   * Sends what is pending while there is a link, gives back what is locked, and ends the link. A
   * private session ends at the broker too. Who waits in `receive` gets a `QueueClosedError`.
   * Receivers that `listen` runs may finish, for `lockTimeout` at most: what is not through by then
   * comes again. So does the message of a receiver that closes its own queue.
   *
   * @param _correlationId ties it to other work
   */
  async close(_correlationId: string | null = null): Promise<void> {
    const closed = new QueueClosedError("Cannot open: the queue was closed");
    this.#untilClose.abort(closed);
    this.#untilClose = new AbortController();
    this.#opening?.cancel.abort(closed);
    this.#closing ??= this.#close().finally(() => this.#closing = null);
    await this.#closing;
  }

  /** Whether `open` succeeded and `close` was not called. Whether the broker answers is `state`. */
  isOpen(): boolean {
    return this.#session !== null;
  }

  /**
   * Sends a message; resolves when the broker has it (PUBACK or PUBCOMP; QoS 0: when it is
   * written). A send that was rejected is not sent later, though the broker may have got it.
   * The envelope is not changed.
   *
   * @param correlationId stands in where the envelope has none
   * @throws {TimeoutError} after `sendTimeout`
   * @throws {QueueFullError} where `maxPending` messages wait
   * @throws {ConnectionError} where the broker refuses the message
   * @throws {NotSupportedError} where it passes what the broker said it takes
   * @throws {TypeError} where the topic is a filter, or a property is no text that can be sent
   * @throws {RangeError} where it is more than a packet can carry, 256 MiB
   */
  send(
    correlationId: string | null,
    envelope: MessageEnvelope,
    options: SendOptions = {},
  ): Promise<void> {
    // Not async: what waits for an answer would keep the envelope.
    try {
      const session = this.#assertOpen("send");
      options.signal?.throwIfAborted();
      assertEnvelope(envelope);
      assertSendOptions(options, options.expiry ?? envelope.expiry);
      return session.send(correlationId, envelope, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Sends a value as JSON. As `send` in everything else. */
  async sendAsObject(
    correlationId: string | null,
    messageType: string,
    value: unknown,
    options: SendOptions = {},
  ): Promise<void> {
    const envelope = new MessageEnvelope(correlationId, messageType);
    envelope.setMessageAsObject(value);
    await this.send(correlationId, envelope, options);
  }

  /**
   * Sends many, in order, without waiting for one before the next. More than `maxPending` are
   * handed over as there is room.
   *
   * @throws {BatchSendError} naming each one that failed, also because the signal came; the others are sent
   */
  async sendBatch(
    correlationId: string | null,
    envelopes: Iterable<MessageEnvelope>,
    options: SendOptions = {},
  ): Promise<void> {
    const session = this.#assertOpen("send");
    options.signal?.throwIfAborted();
    await session.sendBatch(envelopes, (each) => this.send(correlationId, each, options));
  }

  /**
   * The oldest available message, or `null` once `waitTimeout` has passed. It wakes when a message
   * arrives; who waits longest is served first. The first call subscribes, and that takes its own
   * time, `connectTimeout` at most.
   *
   * @param _correlationId ties it to other work
   * @param waitTimeout milliseconds; 0 to look only, `Infinity` without end
   * @throws {RangeError} where `waitTimeout` is negative or no number
   * @throws {QueueClosedError} where the queue is closed meanwhile
   */
  async receive(
    _correlationId: string | null,
    waitTimeout: number,
    options: ReceiveOptions = {},
  ): Promise<MessageEnvelope | null> {
    const wait = checkedWait(waitTimeout);
    assertMode(options.mode);
    const { receiver, connection, options: { receiveMode } } = await this.#subscribed(
      "receive",
      options.signal,
    );
    if (wait === 0 && receiver.held.available === 0) {
      await abortable(connection.synchronize(), options.signal);
    }
    const envelope = await receiver.receive(wait, options.mode ?? receiveMode, options.signal);
    if (envelope !== null) traceReceive(envelope);
    return envelope;
  }

  /**
   * Up to `max` of the oldest available messages; `[]` once `waitTimeout` has passed without any.
   * Once one is there it waits for no more.
   *
   * @param correlationId ties it to other work
   * @param max how many at most
   * @param waitTimeout milliseconds, as in `receive`
   */
  async receiveBatch(
    correlationId: string | null,
    max: number,
    waitTimeout: number,
    options: ReceiveOptions = {},
  ): Promise<MessageEnvelope[]> {
    assertCount("receive", max);
    const first = await this.receive(correlationId, waitTimeout, options);
    if (first === null) return [];
    const { receiver, options: { receiveMode } } = this.#assertOpen("receive");
    const batch = [first];
    while (batch.length < max) {
      const next = receiver.take(options.mode ?? receiveMode);
      if (next === null) break;
      batch.push(next);
    }
    return batch;
  }

  /**
   * A copy of the oldest available message, which stays where it is; `null` where there is none.
   * What this queue has sent is seen: where too little is at hand the broker is asked once more.
   *
   * @param correlationId ties it to other work
   */
  async peek(
    correlationId: string | null,
    options: WaitOptions = {},
  ): Promise<MessageEnvelope | null> {
    return (await this.peekBatch(correlationId, 1, options))[0] ?? null;
  }

  /**
   * Copies of the oldest available messages, `[]` where there are none.
   *
   * @param _correlationId ties it to other work
   * @param max how many at most
   * @throws {RangeError} where `max` is no positive whole number
   */
  async peekBatch(
    _correlationId: string | null,
    max: number,
    options: WaitOptions = {},
  ): Promise<MessageEnvelope[]> {
    assertCount("peek", max);
    const { receiver, connection } = await this.#subscribed("peek", options.signal);
    if (receiver.held.available < max) await abortable(connection.synchronize(), options.signal);
    return receiver.peek(max);
  }

  /** How many messages `receive` could take now. Locked ones do not count. */
  async readMessageCount(options: WaitOptions = {}): Promise<number> {
    const { receiver, connection } = await this.#subscribed("count", options.signal);
    await abortable(connection.synchronize(), options.signal);
    return receiver.held.available;
  }

  /**
   * Removes a message: the broker may forget it. Twice is harmless. A peeked copy stands for its
   * message while that is available.
   *
   * @throws {ConnectionError} where the link is lost for good: the message comes again
   * @throws {LockLostError} where the lock ran out or another receiver has the message
   * @throws {TypeError} where the envelope did not come from this queue
   */
  async complete(envelope: MessageEnvelope): Promise<void> {
    const session = this.#assertOpen("complete");
    session.assertLinked("complete");
    const before = session.receiver.underWay(envelope);
    if (before !== null) await before;
    session.receiver.complete(envelope);
  }

  /**
   * Gives a message back to its place, now or after a delay. One that was received and removed goes
   * back too, in memory: the broker has let go of it.
   *
   * @param options `delay` in milliseconds
   * @throws {LockLostError} where the lock ran out or another receiver has the message
   */
  async abandon(envelope: MessageEnvelope, options: { delay?: number } = {}): Promise<void> {
    const { delay = 0 } = options;
    assertDuration("abandon", delay, 0);
    const { receiver } = this.#assertOpen("abandon");
    const before = receiver.underWay(envelope);
    if (before !== null) await before;
    receiver.abandon(envelope, delay);
  }

  /**
   * Locks a peeked message, wherever it stands: the copy becomes its holder, as if it had been
   * received under `peekLock`.
   *
   * @param lockTimeout milliseconds; as configured where it is not given
   * @throws {LockLostError} where somebody else holds the message, or it is gone
   */
  // deno-lint-ignore require-await -- a lock of the broker's own would be waited for
  async lock(envelope: MessageEnvelope, lockTimeout?: number): Promise<void> {
    const { receiver, options } = this.#assertOpen("lock");
    const wait = lockTimeout ?? options.lockTimeout;
    assertDuration("lock", wait, 1);
    receiver.lock(envelope, wait);
  }

  /**
   * Lets a lock run from now.
   *
   * @param lockTimeout milliseconds; as configured where it is not given
   * @throws {LockLostError} where the lock ran out, or there was none
   */
  // deno-lint-ignore require-await -- as above
  async renewLock(envelope: MessageEnvelope, lockTimeout?: number): Promise<void> {
    const { receiver, options } = this.#assertOpen("renew a lock");
    const wait = lockTimeout ?? options.lockTimeout;
    assertDuration("renew a lock", wait, 1);
    receiver.renewLock(envelope, wait);
  }

  /**
   * Gives a message up: a copy goes to the dead letters, and once the broker has that the message
   * is removed.
   *
   * @throws {LockLostError} where the lock ran out or another receiver has the message
   * @throws {NotSupportedError} where the broker retains no messages
   * @throws {TimeoutError} where the copy is not confirmed; the message stays as it was, as it does
   *   where the signal ends the wait
   */
  async moveToDeadLetter(
    envelope: MessageEnvelope,
    options: DeadLetterOptions = {},
  ): Promise<void> {
    const { reason = "rejected", description = "", signal } = options;
    signal?.throwIfAborted();
    await this.#assertOpen("dead-letter").giveUp(envelope, reason, description, signal);
  }

  /** The messages that were given up: look at them, redrive them, purge them. */
  get deadLetters(): DeadLetterStore {
    return this.#deadLetters;
  }

  /**
   * Hands each message to `receiver`, under a lock that is renewed while the receiver works; it is
   * completed when the receiver resolves and abandoned when it throws, which an `error` event tells.
   *
   * @param _correlationId ties it to other work
   * @param receiver a function, or an object with `receiveMessage`
   * @returns when it was ended by `endListen`, `close` or the signal, and the last receiver is through
   */
  async listen(
    _correlationId: string | null,
    receiver: MessageReceiverLike,
    options: ListenOptions = {},
  ): Promise<void> {
    const { concurrency = 1, signal } = options;
    assertCount("listen", concurrency);
    const handle = handlerOf(receiver);
    await this.#assertOpen("listen").listen((envelope) => handle(envelope, this), {
      concurrency,
      signal,
    });
  }

  /** As `listen`, in the background; what ends it early is an `error` event. */
  beginListen(
    correlationId: string | null,
    receiver: MessageReceiverLike,
    options: ListenOptions = {},
  ): void {
    const session = this.#assertOpen("listen");
    handlerOf(receiver);
    this.listen(correlationId, receiver, options).catch((error) => session.report(error));
  }

  /**
   * Ends every `listen`; resolves when the receivers that run are through, or at once where one of
   * them calls this. The signal ends the wait for them only.
   *
   * @param _correlationId ties it to other work
   */
  async endListen(
    _correlationId: string | null = null,
    options: WaitOptions = {},
  ): Promise<void> {
    const ended = this.#session?.endListen();
    if (ended !== undefined) await abortable(ended, options.signal);
  }

  /**
   * The messages as an iterator: each comes under a lock, and is completed when the next is asked
   * for. What is at hand when the loop is left goes back, unless it was completed.
   */
  async *messages(options: WaitOptions = {}): AsyncGenerator<MessageEnvelope, void, void> {
    yield* this.#assertOpen("listen").messages(options.signal);
  }

  /**
   * Drops and settles every available message, those too that wait at the broker for room. Those
   * that are locked stay.
   *
   * @param _correlationId ties it to other work
   */
  async clear(
    _correlationId: string | null = null,
    options: WaitOptions = {},
  ): Promise<void> {
    const session = await this.#subscribed("clear", options.signal);
    await session.clear(options.signal);
  }

  /** The queue's name; its topic where it has none. */
  getName(): string {
    return this.#name ?? (this.#values.get("topic") as string | undefined) ?? "";
  }

  /** What this queue can do on this broker and version of the protocol. */
  getCapabilities(): QueueCapabilities {
    const prefetch = this.#session?.options.prefetch ?? 0;
    return capabilitiesOf(this.#session?.connection.limits ?? null, prefetch);
  }

  /** A snapshot: what is held, what is pending, what was done. Asks nobody. */
  stats(): QueueStats {
    const held = this.#session?.receiver.held;
    return {
      state: this.state,
      available: held?.available ?? 0,
      locked: held?.locked ?? 0,
      bufferedBytes: held?.bytes ?? 0,
      pendingSends: this.#session?.sender.pending ?? 0,
      ...this.#counters,
    };
  }

  /** The link to the broker. */
  get state(): LinkState {
    return this.#session?.connection.state ?? (this.#opening === null ? "closed" : "connecting");
  }

  /** Closes the queue. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #beginOpening(): Opening {
    const cancel = new AbortController();
    const done = this.#open(cancel.signal).finally(() => this.#opening = null);
    return { cancel, done, callers: 0 };
  }

  async #open(cancelled: AbortSignal): Promise<void> {
    const options = resolveOptions(this.#values);
    const topic = options.topic ?? this.#name ?? "";
    if (topic === "") throw new ConfigError("Cannot open: a name or a topic is needed", "topic");
    const session = new QueueSession({
      options,
      topic,
      counters: this.#counters,
      deadLetters: this.#deadLetters,
      emit: (type, detail) => this.emit(type, detail),
    });
    await session.open(cancelled);
    this.#session = session;
    session.announce();
  }

  async #close(): Promise<void> {
    await this.#opening?.done.catch(() => {}); // Whoever called `open` is told.
    const session = this.#session;
    if (session === null) return;
    await session.drain();
    this.#session = null;
    await session.close();
  }

  #assertOpen(action: string): QueueSession {
    if (this.#session === null) {
      throw new QueueClosedError(`Cannot ${action}: the queue "${this.getName()}" is not open`);
    }
    return this.#session;
  }

  async #subscribed(action: string, signal?: AbortSignal): Promise<QueueSession> {
    signal?.throwIfAborted();
    const session = this.#assertOpen(action);
    session.assertLinked(action);
    try {
      await session.connection.subscribe(signal);
    } catch (error) {
      this.#assertOpen(action); // Closed meanwhile: that is the reason then.
      throw error;
    }
    return this.#assertOpen(action);
  }
}

function handlerOf(receiver: MessageReceiverLike) {
  if (typeof receiver === "function") return receiver;
  if (typeof receiver?.receiveMessage === "function") return receiver.receiveMessage.bind(receiver);
  throw new TypeError(
    `Cannot listen: a function or an object with receiveMessage is needed, received ${typeof receiver}`,
  );
}
