import { ConfigParams } from "./config_params.ts";
import type { Connection, LinkChange, LinkState, QoS } from "./connection.ts";
import { encodeEnvelope } from "./envelope_codec.ts";
import { ConfigError, NotSupportedError, QueueClosedError } from "./errors.ts";
import { MessageEnvelope } from "./message_envelope.ts";
import { MessageReceiver, type Outcome } from "./message_receiver.ts";
import { MessageSender } from "./message_sender.ts";
import { MqttConnection } from "./mqtt_connection.ts";
import { QueueEventTarget } from "./queue_events.ts";
import {
  type OptionValues,
  type QueueOptions,
  readConfigParams,
  readTypedOptions,
  type ReceiveMode,
  type ResolvedOptions,
  resolveOptions,
} from "./queue_options.ts";
import { createCounters, type QueueCounters } from "./telemetry.ts";
import { assertTopicFilter, assertTopicName, sharedFilter } from "./topic_filter.ts";

/** What every wait takes. */
export interface WaitOptions {
  /** Ends the wait; it rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** How a message is sent. What is not given is as the queue is configured. */
export interface SendOptions extends WaitOptions {
  qos?: QoS;
  retain?: boolean;
  /** Another topic than the queue's. */
  topic?: string;
  /** Seconds until the broker drops it unread (MQTT 5). */
  expiry?: number;
}

/** How a message is received. */
export interface ReceiveOptions extends WaitOptions {
  /** Another mode than the queue's. */
  mode?: ReceiveMode;
}

/** A snapshot of a queue. */
export interface QueueStats extends QueueCounters {
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

/** What this queue can do on this broker and version of the protocol. */
export interface QueueCapabilities {
  /** `null` while the queue is closed; what the broker decides is at its least then. */
  protocolVersion: 4 | 5 | null;
  maximumQoS: QoS;
  retain: boolean;
  wildcards: boolean;
  sharedSubscriptions: boolean;
  userProperties: boolean;
  messageExpiry: boolean;
  /** Messages held unacknowledged at most; `null` where the broker decides by itself (3.1.1). */
  receiveMaximum: number | null;
  /** In bytes; `null` without a limit. */
  maximumPacketSize: number | null;
  messageCount: boolean;
  send: boolean;
  receive: boolean;
  peek: boolean;
  peekBatch: boolean;
  renewLock: boolean;
  abandon: boolean;
  deadLetter: boolean;
  clear: boolean;
}

interface Parts {
  readonly options: ResolvedOptions;
  readonly topic: string;
  readonly connection: Connection;
  readonly sender: MessageSender;
  readonly receiver: MessageReceiver;
}

/** The longest wait that a timer takes, in milliseconds: 24.8 days. More means no end. */
const MAX_WAIT_MS = 2_147_483_647;

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
 * import { MessageEnvelope, MqttMessageQueue } from "./mod.ts";
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
  #parts: Parts | null = null;
  #opening: Promise<void> | null = null;
  #closing: Promise<void> | null = null;
  #cancelOpening: AbortController | null = null;

  /**
   * @param name the queue's name, and its topic unless `topic` is configured
   * @throws {ConfigError} naming the option that is unknown, ill-typed or out of range
   */
  constructor(name?: string, options: QueueOptions = {}) {
    super();
    this.#name = name;
    this.#values = readTypedOptions(options);
  }

  /**
   * Configures the queue before `open`; what was set before and is not named stays.
   *
   * @param config `ConfigParams`, an object with dotted keys, or a nested one
   * @throws {ConfigError} naming the key that is unknown, ill-typed or out of range
   */
  configure(config: ConfigParams | Record<string, unknown>): void {
    if (this.#parts !== null || this.#opening !== null) {
      throw new ConfigError("Cannot configure: the queue is open", "");
    }
    const params = config instanceof ConfigParams ? config : ConfigParams.fromObject(config);
    for (const [name, value] of readConfigParams(params)) this.#values.set(name, value);
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
    options.signal?.throwIfAborted();
    await this.#closing;
    if (this.#parts !== null) return;
    this.#opening ??= this.#open().finally(() => this.#opening = this.#cancelOpening = null);
    const abort = () => this.#cancelOpening?.abort(options.signal!.reason);
    options.signal?.addEventListener("abort", abort, { once: true });
    try {
      await this.#opening;
    } finally {
      options.signal?.removeEventListener("abort", abort);
    }
  }

  /**
   * Sends what is pending while there is a link, gives back what is locked, and ends the link. A
   * private session ends at the broker too. Who waits in `receive` gets a `QueueClosedError`.
   *
   * @param _correlationId ties it to other work
   */
  async close(_correlationId: string | null = null): Promise<void> {
    this.#cancelOpening?.abort(new QueueClosedError("Cannot open: the queue was closed"));
    await this.#opening?.catch(() => {}); // Whoever called `open` is told.
    if (this.#parts !== null) {
      this.#closing ??= this.#close(this.#parts).finally(() => this.#closing = null);
    }
    await this.#closing;
  }

  /** Whether `open` succeeded and `close` was not called. Whether the broker answers is `state`. */
  isOpen(): boolean {
    return this.#parts !== null;
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
   */
  async send(
    correlationId: string | null,
    envelope: MessageEnvelope,
    options: SendOptions = {},
  ): Promise<void> {
    const parts = this.#assertOpen("send");
    options.signal?.throwIfAborted();
    assertEnvelope(envelope);
    const { protocolVersion } = parts.connection.limits!;
    const topic = options.topic ?? parts.topic;
    assertTopicName(topic);
    const expiry = options.expiry ?? envelope.expiry ?? parts.options.messageExpiry ?? null;
    assertSendOptions(options.qos, expiry);
    if (options.expiry !== undefined && protocolVersion === 4) {
      throw new NotSupportedError("Cannot send: MQTT 3.1.1 has no message expiry");
    }
    const { payload, properties } = encodeEnvelope(envelope, {
      correlationId,
      serializeEnvelope: parts.options.serializeEnvelope,
      protocolVersion,
      expiry,
      now: Date.now(),
    });
    await parts.sender.send({
      topic,
      payload,
      properties,
      qos: options.qos ?? parts.options.qos,
      retain: options.retain ?? parts.options.retain,
    }, options.signal);
    this.#counters.sent++;
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
    const { receiver, connection, options: { receiveMode } } = await this.#subscribed(
      "receive",
      options.signal,
    );
    if (wait === 0 && receiver.held.available === 0) await connection.synchronize();
    return await receiver.receive(wait, options.mode ?? receiveMode, options.signal);
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
    if (!Number.isInteger(max) || max < 1) {
      throw new RangeError(`Cannot peek: a positive whole number is needed, received ${max}`);
    }
    const { receiver, connection } = await this.#subscribed("peek", options.signal);
    if (receiver.held.available < max) await connection.synchronize();
    return receiver.peek(max);
  }

  /** How many messages `receive` could take now. Locked ones do not count. */
  async readMessageCount(): Promise<number> {
    const { receiver, connection } = await this.#subscribed("count");
    await connection.synchronize();
    return receiver.held.available;
  }

  /**
   * Removes a message: the broker may forget it. Twice is harmless. A peeked copy stands for its
   * message while that is available.
   *
   * @throws {LockLostError} where the lock ran out or another receiver has the message
   * @throws {TypeError} where the envelope did not come from this queue
   */
  // deno-lint-ignore require-await -- the broker's own settlement will be awaited here
  async complete(envelope: MessageEnvelope): Promise<void> {
    this.#assertOpen("complete").receiver.complete(envelope);
  }

  /**
   * Gives a message back to its place, now or after a delay. One that was received and removed goes
   * back too, in memory: the broker has let go of it.
   *
   * @param options `delay` in milliseconds
   * @throws {LockLostError} where the lock ran out or another receiver has the message
   */
  // deno-lint-ignore require-await -- as above
  async abandon(envelope: MessageEnvelope, options: { delay?: number } = {}): Promise<void> {
    this.#assertOpen("abandon").receiver.abandon(envelope, options.delay);
  }

  /**
   * Drops and settles every available message. Those that are locked stay.
   *
   * @param _correlationId ties it to other work
   */
  async clear(_correlationId: string | null = null): Promise<void> {
    const { receiver, connection } = await this.#subscribed("clear");
    await connection.synchronize();
    receiver.clear();
  }

  /** The queue's name; its topic where it has none. */
  getName(): string {
    return this.#name ?? (this.#values.get("topic") as string | undefined) ?? "";
  }

  /** What this queue can do on this broker and version of the protocol. */
  getCapabilities(): QueueCapabilities {
    const limits = this.#parts?.connection.limits ?? null;
    const version = limits?.protocolVersion ?? null;
    return {
      protocolVersion: version,
      maximumQoS: limits?.maximumQoS ?? 0,
      retain: limits?.retainAvailable ?? false,
      wildcards: limits?.wildcards ?? false,
      sharedSubscriptions: limits?.sharedSubscriptions ?? false,
      userProperties: version === 5,
      messageExpiry: version === 5,
      receiveMaximum: version === 5 ? this.#parts!.options.prefetch : null,
      maximumPacketSize: limits?.maximumPacketSize ?? null,
      messageCount: true,
      send: true,
      receive: true,
      peek: true,
      peekBatch: true,
      renewLock: true,
      abandon: true,
      deadLetter: true,
      clear: true,
    };
  }

  /** A snapshot: what is held, what is pending, what was done. Asks nobody. */
  stats(): QueueStats {
    const held = this.#parts?.receiver.held;
    return {
      state: this.state,
      available: held?.available ?? 0,
      locked: held?.locked ?? 0,
      bufferedBytes: held?.bytes ?? 0,
      pendingSends: this.#parts?.sender.pending ?? 0,
      ...this.#counters,
    };
  }

  /** The link to the broker. */
  get state(): LinkState {
    return this.#parts?.connection.state ?? (this.#opening === null ? "closed" : "connecting");
  }

  /** Closes the queue. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #open(): Promise<void> {
    const cancel = this.#cancelOpening = new AbortController();
    const options = resolveOptions(this.#values);
    const topic = options.topic ?? this.#name;
    if (topic === undefined || topic === "") {
      throw new ConfigError("Cannot open: a name or a topic is needed", "topic");
    }
    assertTopicFilter(topic);
    const filter = options.group === undefined ? topic : sharedFilter(options.group, topic);
    const connection = new MqttConnection(options, filter, {
      onDelivery: (delivery) => {
        this.#counters.arrived++;
        receiver.accept(delivery);
      },
      onRedelivered: () => this.#counters.redelivered++,
      onChange: (change) => this.#onChange(change, sender),
      onWritable: () => sender.pump(),
      onSessionLost: (reason, held) => this.emit("sessionlost", () => ({ reason, held })),
      onError: (error) => this.emit("error", () => ({ error })),
    });
    const sender = new MessageSender(connection, options);
    const receiver = new MessageReceiver(connection, options, {
      onArrive: (envelope) => this.emit("arrive", () => ({ envelope: envelope() })),
      onSettle: (envelope, outcome) => {
        this.#count(outcome);
        this.emit("settle", () => ({ envelope: envelope(), outcome }));
      },
      onDrop: (envelope, reason) => {
        this.#counters.dropped++;
        this.emit("drop", () => ({ envelope: envelope(), reason }));
      },
      onExhausted: () => {},
    });
    try {
      await connection.open(cancel.signal);
      if (options.autoSubscribe) await connection.subscribe(cancel.signal);
    } catch (error) {
      receiver.close();
      await connection.close();
      throw error;
    }
    this.#parts = { options, topic, connection, sender, receiver };
  }

  async #close({ connection, sender, receiver }: Parts): Promise<void> {
    receiver.close();
    await sender.flush();
    sender.close();
    this.#parts = null;
    await connection.close();
  }

  #assertOpen(action: string): Parts {
    if (this.#parts === null || this.#closing !== null) {
      throw new QueueClosedError(`Cannot ${action}: the queue "${this.getName()}" is not open`);
    }
    return this.#parts;
  }

  async #subscribed(action: string, signal?: AbortSignal): Promise<Parts> {
    signal?.throwIfAborted();
    const parts = this.#assertOpen(action);
    await parts.connection.subscribe(signal);
    return this.#assertOpen(action);
  }

  #onChange(change: LinkChange, sender: MessageSender): void {
    if (change.state === "connected" && change.previous === "reconnecting") {
      this.#counters.reconnects++;
    }
    if (change.state !== "connected") sender.unlink();
    this.emit("statechange", () => change);
  }

  #count(outcome: Outcome): void {
    if (outcome === "received") this.#counters.received++;
    else if (outcome === "completed") this.#counters.completed++;
    else if (outcome === "abandoned") this.#counters.abandoned++;
    else if (outcome === "dead-lettered") this.#counters.deadLettered++;
  }
}

function assertEnvelope(envelope: MessageEnvelope): void {
  if (!(envelope instanceof MessageEnvelope)) {
    throw new TypeError(
      `Cannot send: a MessageEnvelope is needed, received ${
        envelope === null ? "null" : typeof envelope
      }`,
    );
  }
}

function assertSendOptions(qos: QoS | undefined, expiry: number | null): void {
  if (qos !== undefined && qos !== 0 && qos !== 1 && qos !== 2) {
    throw new RangeError(`Cannot send: QoS is 0, 1 or 2, received ${qos}`);
  }
  if (expiry !== null && !(Number.isInteger(expiry) && expiry >= 1 && expiry <= 4_294_967_295)) {
    throw new RangeError(
      `Cannot send: expiry is a whole number of seconds from 1 to 4294967295, received ${expiry}`,
    );
  }
}

function checkedWait(waitTimeout: number): number {
  if (typeof waitTimeout !== "number" || Number.isNaN(waitTimeout) || waitTimeout < 0) {
    throw new RangeError(
      `Cannot receive: milliseconds from 0 are needed to wait, received ${waitTimeout}`,
    );
  }
  return waitTimeout > MAX_WAIT_MS ? Infinity : waitTimeout;
}
