import type { LinkChange, LinkState, QoS } from "./connection.ts";
import type { IConnackPacket, IPublishPacket, MqttClient, Packet } from "./deps.ts";
import { ConnectionError, NotSupportedError, TimeoutError, toError } from "./errors.ts";
import {
  createClient,
  discardSession,
  endClient,
  type LinkOptions,
  renewCredentials,
  requireNetworkPermission,
} from "./mqtt_client.ts";
import { PacketIds } from "./packet_ids.ts";
import { RoundTrips } from "./round_trips.ts";

/** The longest wait between two attempts, in milliseconds. */
const MAX_BACKOFF_MS = 30_000;
/** How long a link must hold before the next loss is a first one again, in milliseconds. */
const STABLE_AFTER_MS = 30_000;
/** Or so many times as long as the wait before it. Two that throw each other out hold no longer than that. */
const STABLE_FACTOR = 4;
/** PUBACK reason code: taken, and nobody is there to get it ([MQTT-3.4.2.1]). */
export const NO_MATCHING_SUBSCRIBERS = 16;
/** SUBACK reason codes for what a broker cannot do ([MQTT-3.9.3]). */
const NOT_SUPPORTED: Record<number, string> = {
  158: "shared subscriptions",
  161: "subscription identifiers",
  162: "wildcards",
};
/** DISCONNECT and CONNACK reason code: another client connected with our id ([MQTT-3.1.4-3]). */
const SESSION_TAKEN_OVER = 142;

/** What a link reports. */
export interface LinkHandlers {
  /** The MQTT.js client is there and not connected yet: the moment to hook into it. */
  onClient?(client: MqttClient): void;
  /** Connected again; told before the change of state, so that what is due comes first. */
  onReconnect(sessionPresent: boolean): void;
  onChange(change: LinkChange): void;
  /** Another client has our id; the link is not made again. */
  onTakenOver(): void;
}

/** One MQTT.js client whose link is made again, with backoff and jitter, when it is lost. */
export class MqttLink {
  readonly #options: LinkOptions;
  readonly #handlers: LinkHandlers;
  readonly #packetIds = new PacketIds();
  readonly #forgotten = new Set<number>();
  #client: MqttClient | null = null;
  #roundTrips: RoundTrips | null = null;
  #state: LinkState = "closed";
  #opening: PromiseWithResolvers<void> | null = null;
  #connack: IConnackPacket | null = null;
  #lastError: Error | undefined;
  #takenOver = false;
  #unheardPacketId: number | null = null;
  #attempts = 0;
  #connectedAt = 0;
  #lastWaitMs = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: LinkOptions, handlers: LinkHandlers) {
    this.#options = options;
    this.#handlers = handlers;
  }

  get state(): LinkState {
    return this.#state;
  }

  /** The MQTT.js client. Only after `open`. */
  get client(): MqttClient {
    return this.#client!;
  }

  /** What the broker said when it accepted the link last. */
  get connack(): IConnackPacket | null {
    return this.#connack;
  }

  /** The publish that is being acknowledged right now and that nobody is subscribed to; MQTT.js does not tell. */
  get unheardPacketId(): number | null {
    return this.#unheardPacketId;
  }

  /** Connects once; rejects, and leaves nothing behind, where that fails. */
  async open(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await requireNetworkPermission(this.#options.url);
    const opening = this.#opening = Promise.withResolvers<void>();
    opening.promise.catch(() => {}); // It may fail before it is awaited below.
    this.#change("connecting");
    const client = this.#client = createClient(
      this.#options,
      this.#packetIds,
      () => this.#connack?.properties?.maximumPacketSize ?? Infinity,
    );
    this.#roundTrips = new RoundTrips(client);
    this.#listen(client);
    this.#handlers.onClient?.(client);
    const abort = () => opening.reject(signal!.reason);
    if (signal?.aborted) abort(); // While the permission was asked for.
    signal?.addEventListener("abort", abort, { once: true });
    try {
      await renewCredentials(client, this.#options, opening.promise);
      signal?.throwIfAborted();
      // A session that begins clean would not outlive its link (3.1.1) or a restart of Mosquitto.
      if (this.#options.startsClean) await discardSession(this.#options);
      client.connect();
      await opening.promise;
    } catch (error) {
      this.#change("closed", { cause: toError(error) });
      await endClient(client, true);
      throw error;
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#opening = null;
    }
  }

  /**
   * Sees that a publish is not sent again. What this link has begun it ends: the broker counts it
   * until then, and a late acknowledgement must reach no other.
   */
  forget(packetId: number): void {
    if (this.#state === "connected") this.#forgotten.add(packetId);
    else this.client.removeOutgoingMessage(packetId);
  }

  /** One round trip: resolves when the broker has answered what was sent before, or the link is lost. */
  async ping(): Promise<void> {
    if (this.#state === "connected") await this.#roundTrips!.make();
  }

  /** Subscribes; rejects where the broker refuses. */
  async subscribe(filter: string, qos: QoS): Promise<void> {
    try {
      // Retain handling 1: what is retained comes with a new subscription only ([MQTT-3.3.1-10]).
      await this.client.subscribeAsync(filter, { qos, rh: 1 });
    } catch (error) {
      const message = `Cannot subscribe to "${filter}": `;
      const granted = (error as { packet?: { granted?: number[] } }).packet?.granted?.[0] ?? null;
      const missing = granted === null ? undefined : NOT_SUPPORTED[granted];
      if (missing !== undefined) {
        throw new NotSupportedError(`${message}the broker has no ${missing}`, { cause: error });
      }
      const why = message + toError(error).message;
      throw new ConnectionError(why, this.#options.url, granted, { cause: error });
    }
  }

  /** Looks at the retained messages under a filter that is not subscribed to otherwise. */
  async readRetained(filter: string, onMessage: (packet: IPublishPacket) => void): Promise<void> {
    const receive = (packet: Packet) => {
      if (packet.cmd === "publish" && packet.retain) onMessage(packet);
    };
    this.client.on("packetreceive", receive);
    try {
      await this.subscribe(filter, 0);
      await this.ping(); // They came before the answer to this.
    } finally {
      this.client.off("packetreceive", receive);
      if (this.#state === "connected") await this.client.unsubscribeAsync(filter);
    }
  }

  /** Ends the link and, where it is private, the session. Idempotent. */
  async close(): Promise<void> {
    if (this.#client === null || this.#state === "closed") return;
    const client = this.#client;
    const { isPrivate, protocolVersion } = this.#options;
    clearTimeout(this.#retryTimer);
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

  #listen(client: MqttClient): void {
    client.on("packetreceive", (packet) => {
      if (packet.cmd !== "puback") return;
      const unheard = packet.reasonCode === NO_MATCHING_SUBSCRIBERS;
      this.#unheardPacketId = unheard ? packet.messageId! : null;
    });
    client.on("connect", (packet) => this.#up(packet));
    client.on("error", (error) => {
      this.#lastError = this.#explain(error);
      // Behind a packet that cannot be read nothing can.
      if (this.#state === "connected") client.stream.destroy();
    });
    client.on("disconnect", (packet) => {
      const code = packet.reasonCode ?? 0;
      this.#takenOver = code === SESSION_TAKEN_OVER;
      this.#lastError = new ConnectionError(
        `Cannot keep the link to ${this.#options.url}: the broker ended it, reason code ${code}`,
        this.#options.url,
        code,
      );
      client.stream.destroy(); // The broker must close it now, and may not ([MQTT-3.14.4-1]).
    });
    client.on("close", () => this.#down());
  }

  #up(packet: IConnackPacket): void {
    if (this.#state === "closed") return;
    // A small packet must not wait for the acknowledgement of the one before it (TCP only).
    (this.client.stream as { setNoDelay?(on: boolean): void }).setNoDelay?.(true);
    this.#connack = packet;
    this.#connectedAt = Date.now();
    this.#lastError = undefined;
    if (this.#opening !== null) this.#opening.resolve();
    else this.#handlers.onReconnect(packet.sessionPresent);
    this.#change("connected");
  }

  #down(): void {
    for (const packetId of this.#forgotten) this.client.removeOutgoingMessage(packetId);
    this.#forgotten.clear();
    const cause = this.#lastError ?? this.#closedWithoutReason();
    if (this.#opening !== null) {
      this.#opening.reject(cause);
    } else if (this.#state !== "closed") {
      this.#lose(cause);
    }
  }

  #closedWithoutReason(): ConnectionError {
    const { url, clientId, isPrivate } = this.#options;
    const action = this.#opening === null ? "keep the link" : "connect";
    // Not every broker tells a takeover; two that throw each other out lose link after link.
    const hint = this.#attempts > 1 && !isPrivate
      ? ` again: does another client use the client id "${clientId}"?`
      : "";
    return new ConnectionError(
      `Cannot ${action} to ${url}: the broker closed it without a reason${hint}`,
      url,
      null,
    );
  }

  #lose(cause: Error): void {
    if (this.#takenOver || !this.#options.retryConnect) {
      this.#change("disconnected", { cause });
      if (this.#takenOver) this.#handlers.onTakenOver();
      return;
    }
    const heldMs = this.#state === "connected" ? Date.now() - this.#connectedAt : 0;
    if (heldMs >= Math.min(STABLE_AFTER_MS, STABLE_FACTOR * this.#lastWaitMs)) this.#attempts = 0;
    const retryInMs = backoff(this.#options.reconnectTimeout, this.#attempts++);
    this.#lastWaitMs = retryInMs;
    this.#change("reconnecting", { cause, retryInMs });
    this.#retryTimer = setTimeout(() => this.#retry(), retryInMs);
  }

  async #retry(): Promise<void> {
    const client = this.client;
    try {
      await renewCredentials(client, this.#options);
    } catch (error) {
      if (this.#state === "reconnecting") this.#lose(toError(error));
      return;
    }
    if (this.#state !== "reconnecting") return;
    this.#lastError = undefined;
    // The stores go with it: what was sent and not acknowledged is sent again.
    client.reconnect({ incomingStore: client.incomingStore, outgoingStore: client.outgoingStore });
  }

  #change(state: LinkState, more: { cause?: Error; retryInMs?: number } = {}): void {
    const previous = this.#state;
    this.#state = state;
    this.#handlers.onChange({ state, previous, ...more });
  }

  #explain(error: Error & { code?: unknown; errors?: Error[] }): Error {
    const { url, connectTimeout } = this.#options;
    if (error.message === "connack timeout") {
      return new TimeoutError(
        `Cannot connect to ${url}: no answer within ${connectTimeout} ms`,
        connectTimeout,
        { cause: error },
      );
    }
    const reasonCode = typeof error.code === "number" ? error.code : null;
    const why = error.message || error.errors?.[0]?.message || String(error.code);
    return new ConnectionError(`Cannot connect to ${url}: ${why}`, url, reasonCode, {
      cause: error,
    });
  }
}

/** Doubles from `base` to the longest wait, and takes between half and all of it. */
function backoff(base: number, attempt: number): number {
  const longest = Math.min(base * 2 ** attempt, Math.max(base, MAX_BACKOFF_MS));
  return Math.round(longest / 2 + Math.random() * longest / 2);
}
