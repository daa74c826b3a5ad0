import { abortable } from "./abortable.ts";
import type {
  BrokerLimits,
  Connection,
  ConnectionHandlers,
  Delivery,
  LinkChange,
  LinkState,
  Publish,
} from "./connection.ts";
import { DeferredAcks } from "./deferred_ack.ts";
import { ConnectionError, NotSupportedError, toError } from "./errors.ts";
import { type LinkHandlers, MqttLink } from "./mqtt_link.ts";
import { connectWithFallback } from "./protocol_fallback.ts";
import type { ResolvedOptions } from "./queue_options.ts";
import { QueueSubscription } from "./queue_subscription.ts";
import { ReadingGate } from "./reading_gate.ts";
import { deliversToShared } from "./shared_probe.ts";
import { readRetained } from "./retained_messages.ts";
import { isShared } from "./topic_filter.ts";
import { answeredWithin, settledWithin } from "./within.ts";

/** How long a broker keeps a private session whose link was lost, in seconds. */
const PRIVATE_SESSION_EXPIRY_S = 900;
/** How long `synchronize` waits for a broker that does not answer, in milliseconds. */
const SYNCHRONIZE_MS = 2_000;

/** What tells the two links apart. */
interface OwnOfLink extends Omit<LinkHandlers, "onChange" | "onTakenOver"> {
  isPrivate: boolean;
  /** Of the receiving one. */
  receiveMaximum?: number;
}

/**
 * The connection of one queue over MQTT.js.
 *
 * It has two links. Reading stops when too much is held, and everything that the broker says on a
 * link waits then, so what is sent, and its acknowledgements, go over a link of their own. The
 * receiving one is made by the first `subscribe`; it is the one that bears the client id and so the
 * durable session.
 */
export class MqttConnection implements Connection {
  readonly #options: ResolvedOptions;
  readonly #filter: string;
  readonly #handlers: ConnectionHandlers;
  readonly #privateId = `mmq-${crypto.randomUUID().slice(-12)}`;
  #outbound: MqttLink | null = null;
  #inbound: MqttLink | null = null;
  #acks: DeferredAcks | null = null;
  #limits: BrokerLimits | null = null;
  #state: LinkState = "closed";
  #subscribing: Promise<void> | null = null;
  readonly #subscription: QueueSubscription;
  #reading: Promise<void> = Promise.resolve();
  #takenOver = false;
  #relinked: () => void = () => {};
  readonly #gate = new ReadingGate((stops) => this.#inbound?.setPaused(stops));
  #sentUnconfirmed = false;

  /** @param filter the topic filter to subscribe to */
  constructor(options: ResolvedOptions, filter: string, handlers: ConnectionHandlers) {
    this.#options = options;
    this.#filter = filter;
    this.#handlers = handlers;
    this.#subscription = new QueueSubscription({
      filter,
      qos: options.qos,
      timeout: options.connectTimeout,
      stalled: () => this.#gate.stalled,
      onError: (error) => handlers.onError(error),
      onRenewed: () => {
        if (this.writable) handlers.onWritable();
      },
    });
  }

  get state(): LinkState {
    return this.#state;
  }

  get limits(): BrokerLimits | null {
    return this.#limits;
  }

  /** Not while our own subscription is on its way back: the broker would have nobody to give it to. */
  get writable(): boolean {
    return this.#outbound?.state === "connected" && this.#inbound?.state !== "reconnecting" &&
      !this.#subscription.isComingBack;
  }

  async open(signal?: AbortSignal): Promise<void> {
    const { protocolVersion, clientId } = this.#options;
    this.#outbound = await connectWithFallback(protocolVersion, async (version) => {
      const link = this.#outbound = this.#link(`${clientId ?? this.#privateId}-send`, version, {
        isPrivate: true,
        onReconnect: () => {
          const { sharedSubscriptions } = this.#limits!;
          this.#limits = { ...link.limits };
          if (version === 4) this.#limits.sharedSubscriptions = sharedSubscriptions; // It was tried.
        },
      });
      await link.open(signal);
      this.#limits = { ...link.limits };
      return link;
    });
    if (isShared(this.#filter)) await abortable(this.#requireShared(this.#outbound), signal);
  }

  async subscribe(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#subscription.isMade) return;
    this.#subscribing ??= this.#openInbound().finally(() => this.#subscribing = null);
    await abortable(this.#subscribing, signal);
  }

  publish(publish: Publish): void {
    if (publish.message.qos === 0) this.#sentUnconfirmed = true;
    try {
      this.#outbound!.publishes.publish(publish);
    } catch (error) {
      publish.answer(toError(error)); // Nothing of it was written.
    }
  }

  forget(publish: Publish): void {
    this.#outbound?.publishes.forget(publish);
  }

  async readRetained(filter: string, onMessage: (delivery: Delivery) => void): Promise<void> {
    const before = this.#reading;
    const reading = Promise.withResolvers<void>();
    this.#reading = reading.promise;
    await before; // Two at once would see each other's messages.
    try {
      if (!this.writable) {
        const { url } = this.#options;
        throw new ConnectionError(`Cannot read "${filter}": the link is down`, url, null);
      }
      const read = readRetained(this.#outbound!, filter, onMessage);
      await answeredWithin(this.#options.connectTimeout, read, `Cannot read "${filter}"`);
    } finally {
      reading.resolve();
    }
  }

  async synchronize(): Promise<void> {
    if (this.#gate.stops || this.#inbound === null) return;
    // Where reading stops meanwhile, the answer is not read either.
    const answered = Promise.race([this.#roundTrip(), this.#gate.stalled]);
    await settledWithin(SYNCHRONIZE_MS, answered);
  }

  settle(delivery: Delivery): void {
    this.#acks?.settle(delivery);
    if (this.#gate.isCrowded) this.#count();
  }

  setPaused(paused: boolean): void {
    this.#gate.setFull(paused);
  }

  async close(): Promise<void> {
    this.#subscription.end();
    this.#gate.open(); // A link that is not read would not see its own end.
    if (this.#acks?.owes) await settledWithin(SYNCHRONIZE_MS, this.#payOwed());
    await Promise.all([this.#inbound?.close(), this.#outbound?.close()]);
    await this.#subscribing?.catch(() => {}); // Whoever asked is told.
    this.#subscription.end();
    this.#inbound = this.#outbound = this.#acks = null;
    this.#limits = null;
  }

  /** MQTT 5 has a window of its own. */
  #count(): void {
    if (this.#limits?.protocolVersion === 4) this.#gate.count(this.#acks?.held ?? 0);
  }

  async #requireShared(link: MqttLink): Promise<void> {
    const limits = this.#limits!;
    if (limits.protocolVersion === 4) {
      const probe = deliversToShared(link);
      await answeredWithin(
        this.#options.connectTimeout,
        probe,
        `Cannot subscribe to "${this.#filter}"`,
      );
      limits.sharedSubscriptions = await probe;
    }
    if (limits.sharedSubscriptions) return;
    throw new NotSupportedError(
      `Cannot subscribe to "${this.#filter}": the broker has no shared subscriptions`,
    );
  }

  async #roundTrip(): Promise<void> {
    if (this.#sentUnconfirmed) {
      this.#sentUnconfirmed = false;
      await this.#outbound?.ping();
    }
    await this.#inbound?.ping();
  }

  /** Acknowledges what was settled while the link was down: it comes again on the next one. */
  async #payOwed(): Promise<void> {
    while (this.#inbound?.state === "reconnecting") {
      await new Promise<void>((resolve) => this.#relinked = resolve);
    }
    await this.#inbound?.ping();
  }

  async #openInbound(): Promise<void> {
    const version = this.#limits?.protocolVersion;
    if (version === undefined) {
      throw new ConnectionError(
        `Cannot subscribe to "${this.#filter}": the link is not open`,
        this.#options.url,
        null,
      );
    }
    if (this.#inbound === null) {
      const { clientId, prefetch } = this.#options;
      const link = this.#link(clientId ?? this.#privateId, version, {
        isPrivate: clientId === undefined,
        receiveMaximum: prefetch,
        onReconnect: (sessionPresent) => this.#subscription.renew(link, sessionPresent),
        ...this.#receiving(),
      });
      link.setPaused(this.#gate.stops);
      this.#inbound = link;
      try {
        await link.open();
      } catch (error) {
        if (this.#inbound === link) this.#inbound = null;
        throw error;
      }
    }
    await this.#subscription.make(this.#inbound);
    await this.synchronize(); // What waited at the broker is here before the first answer.
  }

  #link(
    clientId: string,
    protocolVersion: 4 | 5,
    own: OwnOfLink,
  ): MqttLink {
    const { sessionExpiry, serializeEnvelope } = this.#options;
    const { isPrivate, receiveMaximum, ...handlers } = own;
    return new MqttLink({
      ...this.#options,
      clientId,
      protocolVersion,
      sendsJson: serializeEnvelope !== false,
      // Packet ids begin anew, and the broker must not take ours for those of who sent before.
      startsClean: receiveMaximum === undefined && this.#options.clientId !== undefined,
      isPrivate,
      receiveMaximum,
      sessionExpiry: isPrivate ? PRIVATE_SESSION_EXPIRY_S : sessionExpiry,
    }, {
      ...handlers,
      onChange: (change) => this.#onLinkChange(change),
      onTakenOver: () => {
        if (!this.#takenOver) this.#handlers.onSessionLost("taken-over", this.#acks?.held ?? 0);
        this.#takenOver = true; // Both links tell.
      },
    });
  }

  /** What the receiving link does with what comes. */
  #receiving(): Partial<LinkHandlers> {
    const acks = this.#acks = new DeferredAcks(
      this.#options.ackOrder,
      (type, packetId) => this.#inbound?.writeAcknowledgement(type, packetId),
      {
        onDelivery: (delivery) => {
          this.#handlers.onDelivery(delivery);
          this.#count();
        },
        onRedelivered: () => this.#handlers.onRedelivered(),
        onForgotten: (held) => this.#handlers.onSessionLost("forgotten", held),
      },
    );
    // Whoever is told may throw, and what came over the link is none the worse for it.
    const guarded = <Value>(work: (value: Value) => void) => (value: Value) => {
      try {
        work(value);
      } catch (error) {
        this.#handlers.onError(toError(error));
      }
    };
    return {
      onAccept: guarded((sessionPresent: boolean) => {
        acks.link(sessionPresent);
        this.#count(); // Where the session is gone nothing is owed.
      }),
      onDelivery: guarded((delivery) => acks.receive(delivery)),
      onRelease: (packetId) => acks.release(packetId),
      onClose: () => acks.unlink(),
    };
  }

  #onLinkChange(change: LinkChange): void {
    if (change.state === "connected") {
      this.#outbound?.hurry(); // The broker is there: whichever waits for its next attempt need not.
      this.#inbound?.hurry();
    }
    const previous = this.#state;
    this.#state = stateOf(this.#outbound?.state ?? "closed", this.#inbound?.state);
    if (this.writable) this.#handlers.onWritable();
    this.#relinked();
    if (this.#state === previous && change.retryInMs === undefined) return;
    this.#handlers.onChange({ ...change, state: this.#state, previous });
  }
}

/** The state of the whole: that of the link that is worse off. */
function stateOf(outbound: LinkState, inbound: LinkState | undefined): LinkState {
  for (const state of ["closed", "connecting"] as const) {
    if (outbound === state) return state;
  }
  for (const state of ["disconnected", "reconnecting"] as const) {
    if (outbound === state || inbound === state) return state;
  }
  return "connected";
}
