import { abortable } from "./abortable.ts";
import type { ListenOptions, SendOptions } from "./call_options.ts";
import type { Connection, LinkChange } from "./connection.ts";
import type { DeadLetters } from "./dead_letters.ts";
import { encodeEnvelope } from "./envelope_codec.ts";
import { ConnectionError, NotSupportedError, toError } from "./errors.ts";
import type { MessageEnvelope } from "./message_envelope.ts";
import { callingListener, type Handler, MessageListener } from "./message_listener.ts";
import { MessageReceiver, type Outcome } from "./message_receiver.ts";
import { MessageSender } from "./message_sender.ts";
import { MqttConnection } from "./mqtt_connection.ts";
import type { QueueEvents } from "./queue_events.ts";
import type { ResolvedOptions } from "./queue_options.ts";
import { sendBatch } from "./send_batch.ts";
import { type QueueCounters, traceProcess, traceSend } from "./telemetry.ts";
import { assertTopicFilter, assertTopicName, isShared, sharedFilter } from "./topic_filter.ts";
import { settledWithin } from "./within.ts";

/** Tells an event; the detail is made only where somebody listens. */
export type Emit = <Type extends keyof QueueEvents>(
  type: Type,
  detail: () => QueueEvents[Type],
) => void;

/** What a session is made of. */
export interface SessionParts {
  readonly options: ResolvedOptions;
  readonly topic: string;
  readonly counters: QueueCounters;
  readonly deadLetters: DeadLetters;
  readonly emit: Emit;
}

/** What a queue is from `open` to `close`: its connection, its two halves, and who listens. */
export class QueueSession {
  readonly options: ResolvedOptions;
  readonly connection: Connection;
  readonly sender: MessageSender;
  readonly receiver: MessageReceiver;
  readonly #parts: SessionParts;
  readonly #listeners = new Set<MessageListener>();
  readonly #countSent: () => void;
  #announced = false;
  #lastLoss: Error | undefined;
  /** The topic name that was checked last. */
  #lastTopic: string | null = null;

  /** @throws {TypeError} where the topic cannot be subscribed to */
  constructor(parts: SessionParts) {
    const { options, topic, counters, deadLetters, emit } = parts;
    const ownDeadLetters = deadLetters.folder; // Reckoned once, not for each message.
    assertTopicFilter(topic);
    if (options.group !== undefined && isShared(topic)) {
      throw new TypeError(`Cannot open: "${topic}" names a group, and the option group does too`);
    }
    const filter = options.group === undefined ? topic : sharedFilter(options.group, topic);
    this.#parts = parts;
    this.#countSent = () => void counters.sent++;
    this.options = options;
    this.connection = new MqttConnection(options, filter, {
      onDelivery: (delivery) => {
        if (delivery.topic.startsWith(ownDeadLetters)) {
          this.connection.settle(delivery); // A wildcard of ours reaches them.
          return;
        }
        counters.arrived++;
        this.receiver.accept(delivery);
      },
      onRedelivered: () => counters.redelivered++,
      onChange: (change) => this.#onChange(change),
      onWritable: () => this.sender.pump(),
      onSessionLost: (reason, held) => emit("sessionlost", () => ({ reason, held })),
      onError: (error) => this.report(error),
    });
    this.sender = new MessageSender(this.connection, options);
    this.receiver = new MessageReceiver(this.connection, options, {
      onArrive: (envelope) => emit("arrive", () => ({ envelope: envelope() })),
      onSettle: (envelope, outcome) => {
        count(counters, outcome);
        emit("settle", () => ({ envelope: envelope(), outcome }));
      },
      onRepeated: () => counters.redelivered++,
      onDrop: (envelope, reason) => {
        counters.dropped++;
        emit("drop", () => ({ envelope: envelope(), reason }));
      },
      onExhausted: (envelope) => void this.#bury(envelope),
    });
  }

  /** Connects, and subscribes with `autoSubscribe`; leaves nothing behind where that fails. */
  async open(signal: AbortSignal): Promise<void> {
    const { emit } = this.#parts;
    emit("statechange", () => ({ state: "connecting", previous: "closed" }));
    try {
      await this.connection.open(signal);
      if (this.options.messageExpiry !== undefined) this.#assertExpiry("open");
      if (this.options.autoSubscribe) await this.connection.subscribe(signal);
    } catch (error) {
      this.receiver.close();
      await this.connection.close();
      const cause = toError(error);
      emit("statechange", () => ({ state: "closed", previous: "connecting", cause }));
      throw error;
    }
  }

  /** Tells that it is open, and from now on each change: the attempts before were `open`'s own. */
  announce(): void {
    this.#announced = true;
    const { state } = this.connection;
    this.#parts.emit("statechange", () => ({ state, previous: "connecting" }));
  }

  /** Stops who listens and lets what runs finish, for as long as a lock lasts. */
  async drain(): Promise<void> {
    await settledWithin(this.options.lockTimeout, this.endListen());
  }

  /** Sends what is pending while there is a link, and ends it. */
  async close(): Promise<void> {
    this.receiver.close();
    await this.sender.flush();
    this.sender.close();
    await this.connection.close();
  }

  /**
   * Encodes and sends a message; a mandatory one fails where it is known that nobody is subscribed.
   *
   * @throws {TypeError} where it cannot be encoded, or the topic be published to
   */
  send(
    correlationId: string | null,
    envelope: MessageEnvelope,
    given: SendOptions,
    mandatory = false,
  ): Promise<void> {
    const { options, topic: own } = this.#parts;
    this.assertLinked("send");
    const { qos = options.qos, retain = options.retain, topic = own, signal } = given;
    const { protocolVersion } = this.connection.limits!;
    if (topic !== this.#lastTopic) assertTopicName(topic);
    this.#lastTopic = topic;
    const expiry = given.expiry ?? envelope.expiry ?? options.messageExpiry ?? null;
    if (expiry !== null) this.#assertExpiry("send");
    return traceSend(topic, envelope, (carrier) => {
      const { payload, properties } = encodeEnvelope(envelope, {
        correlationId,
        serializeEnvelope: options.serializeEnvelope,
        protocolVersion,
        expiry,
        now: Date.now(),
        carrier,
      });
      const message = { topic, payload, properties, qos, retain, mandatory };
      return this.sender.send(message, signal, this.#countSent);
    });
  }

  /** Sends many without waiting for one before the next, as there is room; tells each failure. */
  async sendBatch(
    envelopes: Iterable<MessageEnvelope>,
    send: (envelope: MessageEnvelope) => Promise<void>,
  ): Promise<void> {
    await sendBatch(envelopes, send, this.sender);
  }

  /** Keeps or, where the payload is empty, removes a retained message. */
  async publishRetained(topic: string, payload: Uint8Array, signal?: AbortSignal): Promise<void> {
    assertTopicName(topic);
    const qos = this.connection.limits!.maximumQoS === 0 ? 0 : 1;
    await this.sender.send({ topic, payload, qos, retain: true, properties: {} }, signal);
  }

  /** Moves a message to the dead letters. */
  async giveUp(
    envelope: MessageEnvelope,
    reason: string,
    description: string,
    signal?: AbortSignal,
  ): Promise<void> {
    const { deadLetters, emit } = this.#parts;
    const moved = await this.receiver.removeAfter(
      envelope,
      "dead-lettered",
      () => deadLetters.add(envelope, reason, description, signal),
    );
    if (moved !== null) emit("deadletter", () => ({ envelope: moved, reason, description }));
  }

  /** Hands messages to a handler until it is stopped. */
  async listen(handle: Handler, { concurrency = 1, signal }: ListenOptions): Promise<void> {
    const listener = this.#addListener(signal);
    try {
      if (!await this.#subscribeFor(listener)) return;
      await listener.run((envelope) => traceProcess(envelope, () => handle(envelope)), concurrency);
    } finally {
      this.#listeners.delete(listener);
    }
  }

  /** Hands messages to whoever iterates, until it is stopped. */
  async *messages(signal?: AbortSignal): AsyncGenerator<MessageEnvelope, void, void> {
    const listener = this.#addListener(signal);
    try {
      if (await this.#subscribeFor(listener)) yield* listener.messages();
    } finally {
      this.#listeners.delete(listener);
    }
  }

  /** Drops every message that is available, those too that come when there is room for them. */
  async clear(signal: AbortSignal | undefined): Promise<void> {
    const { receiver, connection, options } = this;
    const deadline = Date.now() + options.connectTimeout; // Others may send faster than that goes.
    for (let goesOn = true; goesOn;) {
      await abortable(connection.synchronize(), signal);
      goesOn = receiver.isFull && Date.now() < deadline;
      receiver.clear();
    }
  }

  /** Stops who listens; resolves when what runs is through, or at once for who is called by it. */
  async endListen(): Promise<void> {
    const stopped = [...this.#listeners].map((listener) => listener.stop());
    const caller = callingListener();
    if (caller === undefined || !this.#listeners.has(caller)) await Promise.all(stopped);
  }

  /**
   * Refuses what needs a link where that is lost for good.
   *
   * @throws {ConnectionError} with the reason why it was lost
   */
  assertLinked(action: string): void {
    if (this.connection.state === "disconnected") throw this.#lostFor(action);
  }

  /** Tells an error that no caller waits for. */
  report(thrown: unknown): void {
    this.#parts.emit("error", () => ({ error: toError(thrown) }));
  }

  #lostFor(action: string): ConnectionError {
    const { url } = this.options;
    const cause = this.#lastLoss;
    const reasonCode = cause instanceof ConnectionError ? cause.reasonCode : null;
    const why = `the link to ${url} is lost and not made again`;
    return new ConnectionError(`Cannot ${action}: ${why}`, url, reasonCode, { cause });
  }

  #addListener(signal: AbortSignal | undefined): MessageListener {
    const { receiver, options } = this;
    const listener = new MessageListener({
      lockTimeout: options.lockTimeout,
      receive: (stop) => receiver.receive(Infinity, "peekLock", stop),
      complete: (envelope) => receiver.complete(envelope),
      abandon: (envelope) => receiver.abandon(envelope),
      renewLock: (envelope) => receiver.renewLock(envelope, options.lockTimeout),
      onError: (error) => this.report(error),
    }, signal);
    this.#listeners.add(listener);
    return listener;
  }

  /** Subscribes; `false` where the listener was stopped meanwhile. */
  async #subscribeFor({ ended }: MessageListener): Promise<boolean> {
    try {
      await this.connection.subscribe(ended);
      return true;
    } catch (error) {
      if (ended.aborted) return false;
      throw error;
    }
  }

  /** Gives up a message that was delivered too often; where that fails it is delivered again later. */
  async #bury(envelope: MessageEnvelope): Promise<void> {
    const { maxDeliveries, lockTimeout } = this.options;
    const description = `Delivered ${envelope.deliveryCount} times, ${maxDeliveries} are allowed`;
    try {
      await this.giveUp(envelope, "max-deliveries", description);
    } catch (error) {
      this.report(error);
      this.receiver.postpone(envelope, lockTimeout);
    }
  }

  #assertExpiry(action: string): void {
    if (this.connection.limits!.protocolVersion === 5) return;
    throw new NotSupportedError(`Cannot ${action}: MQTT 3.1.1 has no message expiry`);
  }

  #onChange(change: LinkChange): void {
    const { counters, emit } = this.#parts;
    if (change.state === "connected" && change.previous === "reconnecting") counters.reconnects++;
    if (!this.connection.writable) this.sender.unlink();
    this.#lastLoss = change.cause ?? this.#lastLoss;
    if (this.#announced) emit("statechange", () => change);
    if (change.state !== "disconnected") return;
    this.sender.close(this.#lostFor("send"));
    this.receiver.rejectWaiting(this.#lostFor("receive"));
  }
}

function count(counters: QueueCounters, outcome: Outcome): void {
  if (outcome === "received") counters.received++;
  else if (outcome === "completed") counters.completed++;
  else if (outcome === "abandoned") counters.abandoned++;
  else if (outcome === "dead-lettered") counters.deadLettered++;
}
