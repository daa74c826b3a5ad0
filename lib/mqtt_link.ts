import { Backoff } from "./backoff.ts";
import { readLimits } from "./broker_limits.ts";
import type {
  BrokerLimits,
  Delivery,
  LinkChange,
  LinkState,
  OutgoingMessage,
} from "./connection.ts";
import type { IConnackPacket, IStream, MqttClient } from "./deps.ts";
import { QueueClosedError, toError } from "./errors.ts";
import {
  closedWithoutReason,
  disconnected,
  explainFailure,
  type LinkAction,
} from "./link_errors.ts";
import { LinkSubscriptions } from "./link_subscriptions.ts";
import {
  createClient,
  discardSession,
  endClient,
  type LinkOptions,
  renewCredentials,
  requireNetworkPermission,
} from "./mqtt_client.ts";
import { OutgoingPublishes, type PublishLink } from "./outgoing_publishes.ts";
import type { PacketBatch } from "./packet_batch.ts";
import {
  type AcknowledgementType,
  decodeAcknowledgement,
  decodePublish,
  PacketType,
} from "./publish_packet.ts";
import { RoundTrips } from "./round_trips.ts";

/** DISCONNECT and CONNACK reason code: another client connected with our id ([MQTT-3.1.4-3]). */
const SESSION_TAKEN_OVER = 142;

/** What a link reports. */
export interface LinkHandlers {
  /** The broker accepted the link; told before anything else that comes over it. */
  onAccept?(sessionPresent: boolean): void;
  /** A message. */
  onDelivery?(delivery: Delivery): void;
  /** A PUBREL. */
  onRelease?(packetId: number): void;
  /** The link, or an attempt to make it, has ended. */
  onClose?(): void;
  /** Connected again; told before the change of state, so that what is due comes first. */
  onReconnect(sessionPresent: boolean): void;
  onChange(change: LinkChange): void;
  /** Another client has our id; the link is not made again. */
  onTakenOver(): void;
}

/** One MQTT.js client whose link is made again, with backoff and jitter, when it is lost. */
export class MqttLink implements PublishLink {
  readonly #options: LinkOptions;
  readonly #handlers: LinkHandlers;
  /** What is sent over it. */
  readonly publishes: OutgoingPublishes;
  /** What is subscribed to over it. */
  readonly subscriptions: LinkSubscriptions;
  readonly #watchers = new Set<(delivery: Delivery) => void>();
  #client: MqttClient | null = null;
  /** What goes out over the transport of now. */
  #packets: PacketBatch | null = null;
  #roundTrips: RoundTrips | null = null;
  #state: LinkState = "closed";
  #opening: PromiseWithResolvers<void> | null = null;
  #opened: Promise<void> = Promise.resolve();
  #limits: BrokerLimits | null = null;
  /** Whether the broker has accepted the link that is being read. */
  #accepted = false;
  #paused = false;
  /** Whether anything came since the last ping. */
  #heard = false;
  #lastError: Error | undefined;
  #takenOver = false;
  readonly #backoff: Backoff;
  #connectedAt = 0;
  #losses = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: LinkOptions, handlers: LinkHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#backoff = new Backoff(options.reconnectTimeout);
    this.subscriptions = new LinkSubscriptions(() => this.#client!, options.url);
    this.publishes = new OutgoingPublishes(this);
  }

  get state(): LinkState {
    return this.#state;
  }

  get url(): string {
    return this.#options.url;
  }

  /** How often it was lost. */
  get losses(): number {
    return this.#losses;
  }

  get sendsJson(): boolean {
    return this.#options.sendsJson;
  }

  /** What the broker said when it accepted the link last. Only after `open`. */
  get limits(): BrokerLimits {
    return this.#limits!;
  }

  /** Connects once; rejects, and leaves nothing behind, where that fails. */
  async open(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const opening = this.#opening = Promise.withResolvers<void>();
    opening.promise.catch(() => {}); // It may fail before it is awaited below.
    const abort = () => opening.reject(signal!.reason);
    signal?.addEventListener("abort", abort, { once: true });
    this.#opened = this.#connect(opening.promise).finally(() => {
      signal?.removeEventListener("abort", abort);
      this.#opening = null;
    });
    await this.#opened;
  }

  /** As `PacketBatch` does; nothing is written to a link that is down. */
  writePublish(message: OutgoingMessage, packetId: number, dup: boolean): boolean {
    return this.#client!.connected && this.#packets!.writePublish(message, packetId, dup);
  }

  /** Nothing is written to a link that is down. */
  writeAcknowledgement(type: AcknowledgementType, packetId: number): void {
    if (this.#client!.connected) this.#packets!.writeAcknowledgement(type, packetId);
  }

  /** Stops or goes on reading. The link stays up: pings go on though their answers wait unread. */
  setPaused(paused: boolean): void {
    this.#paused = paused;
    if (!paused) this.#client?.stream?.resume();
    else if (this.#accepted) this.#client!.stream.pause();
  }

  /** Tells each message that comes, until the function that comes back is called. */
  watch(watcher: (delivery: Delivery) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** One round trip: resolves when the broker has answered what was sent before, or the link is lost. */
  async ping(): Promise<void> {
    if (this.#state === "connected") await this.#roundTrips!.make();
  }

  /** Tries again at once where the next attempt is still waited for. */
  hurry(): void {
    if (this.#retryTimer === undefined) return;
    clearTimeout(this.#retryTimer);
    this.#retry();
  }

  /** Cuts the link, which is made again as if it had been lost. */
  drop(cause: Error): void {
    this.#lastError = cause;
    this.#client!.stream.destroy();
  }

  /** Ends the link and, where it is private, the session. Idempotent. */
  async close(): Promise<void> {
    if (this.#opening !== null) {
      this.#opening.reject(new QueueClosedError("Cannot connect: the queue was closed"));
      await this.#opened.catch(() => {}); // Whoever opens it is told.
    }
    if (this.#client === null || this.#state === "closed") return;
    const client = this.#client;
    const { isPrivate, protocolVersion } = this.#options;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#change("closed");
    const connected = client.connected;
    if (connected) {
      await endClient(client, false, isPrivate && protocolVersion === 5 ? 0 : undefined);
    } else {
      await endClient(client, true);
    }
    const sessionRemains = protocolVersion === 4 || !connected;
    if (isPrivate && sessionRemains && !this.#takenOver) await discardSession(this.#options);
  }

  /** @param wanted rejects where the link is not wanted any more, or cannot be made */
  async #connect(wanted: Promise<void>): Promise<void> {
    const stillWanted = () => Promise.race([wanted, Promise.resolve()]);
    await requireNetworkPermission(this.#options.url);
    await stillWanted();
    this.#change("connecting");
    const client = this.#client = createClient(this.#options, this.publishes.ids, {
      onTransport: (packets) => this.#packets = packets,
      onChunk: () => this.#heard = true,
      onPacket: (type, flags, body) => this.#take(type, flags, body),
    });
    this.#roundTrips = new RoundTrips(client);
    this.#listen(client);
    try {
      await renewCredentials(client, this.#options, wanted);
      // A session that begins clean would not outlive its link (3.1.1) or a restart of Mosquitto.
      if (this.#options.startsClean) await discardSession(this.#options);
      await stillWanted();
      client.connect();
      await wanted;
    } catch (error) {
      this.#change("closed", { cause: toError(error) });
      await endClient(client, true);
      throw error;
    }
  }

  #listen(client: MqttClient): void {
    client.on("packetreceive", (packet) => {
      if (packet.cmd === "connack" && !this.#accepted) this.#accept(packet);
    });
    client.on("packetsend", (packet) => {
      if (packet.cmd === "pingreq") this.#heard = false;
    });
    // Whoever is heard is there; and the answer to a ping waits behind what is not read yet.
    const cut = client.onKeepaliveTimeout.bind(client);
    client.onKeepaliveTimeout = () => {
      if (!this.#paused && !this.#heard) return cut();
      client.reschedulePing(true);
      client.sendPing();
    };
    client.on("connect", (packet) => this.#up(packet));
    client.on("error", (error) => {
      this.#lastError = explainFailure(error, this.#action, this.#options);
      // Behind a packet that cannot be read nothing can.
      if (this.#state === "connected") client.stream.destroy();
    });
    client.on("disconnect", (packet) => {
      const code = packet.reasonCode ?? 0;
      this.#takenOver = code === SESSION_TAKEN_OVER;
      this.#lastError = disconnected(code, this.url);
      client.stream.destroy(); // The broker must close it now, and may not ([MQTT-3.14.4-1]).
    });
    client.on("close", () => this.#down());
  }

  #accept(packet: IConnackPacket): void {
    const { protocolVersion } = this.#options;
    const code = protocolVersion === 5 ? packet.reasonCode : packet.returnCode;
    if (code !== 0) return;
    this.#accepted = true;
    this.#limits = readLimits(packet, protocolVersion);
    this.#handlers.onAccept?.(packet.sessionPresent);
  }

  /** Takes a message or an acknowledgement that came. */
  #take(type: number, flags: number, body: Uint8Array): void {
    if (!this.#accepted) throw new SyntaxError("Cannot read a packet before the CONNACK"); // [MQTT-3.2.0-1]
    if (type === PacketType.publish) {
      const delivery = decodePublish(flags, body, this.#options.protocolVersion);
      for (const watch of this.#watchers) watch(delivery);
      this.#handlers.onDelivery?.(delivery);
      if (this.#paused) this.#client!.stream.pause();
      return;
    }
    const acknowledgement = decodeAcknowledgement(type as AcknowledgementType, flags, body);
    if (type !== PacketType.pubrel) this.publishes.acknowledge(acknowledgement);
    else this.#handlers.onRelease?.(acknowledgement.packetId);
  }

  #up(packet: IConnackPacket): void {
    if (this.#state === "closed") return;
    const stream = this.#client!.stream as IStream & { setNoDelay?(on: boolean): void };
    // A small packet must not wait for the acknowledgement of the one before it (TCP only).
    stream.setNoDelay?.(true);
    stream.on("drain", () => this.publishes.drained());
    this.#connectedAt = Date.now();
    this.#lastError = undefined;
    this.publishes.link();
    this.subscriptions.link();
    if (this.#opening !== null) this.#opening.resolve();
    else this.#handlers.onReconnect(packet.sessionPresent);
    this.#change("connected");
  }

  #down(): void {
    this.#accepted = false;
    this.#losses++;
    const cause = this.#lastError ?? closedWithoutReason(
      this.#action,
      this.url,
      this.#backoff.attempts > 1 && !this.#options.isPrivate ? this.#options.clientId : null,
    );
    this.#handlers.onClose?.();
    if (this.#opening !== null) {
      this.#opening.reject(cause);
    } else if (this.#state !== "closed") {
      this.#lose(cause);
    }
    this.publishes.unlink(cause); // Who is told may send, and must find the link down.
  }

  get #action(): LinkAction {
    return this.#opening === null ? "keep the link to" : "connect to";
  }

  #lose(cause: Error): void {
    if (this.#takenOver || !this.#options.retryConnect) {
      this.#change("disconnected", { cause });
      if (this.#takenOver) this.#handlers.onTakenOver();
      return;
    }
    const heldMs = this.#state === "connected" ? Date.now() - this.#connectedAt : 0;
    const retryInMs = this.#backoff.next(heldMs);
    this.#change("reconnecting", { cause, retryInMs });
    this.#retryTimer = setTimeout(() => this.#retry(), retryInMs);
  }

  async #retry(): Promise<void> {
    const client = this.#client!;
    this.#retryTimer = undefined;
    try {
      await renewCredentials(client, this.#options);
    } catch (error) {
      if (this.#state === "reconnecting") this.#lose(toError(error));
      return;
    }
    if (this.#state !== "reconnecting") return;
    this.#lastError = undefined;
    client.reconnect();
  }

  #change(state: LinkState, more: { cause?: Error; retryInMs?: number } = {}): void {
    const previous = this.#state;
    this.#state = state;
    this.#handlers.onChange({ state, previous, ...more });
  }
}
