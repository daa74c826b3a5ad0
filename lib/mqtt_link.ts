import type { LinkChange, LinkState, QoS } from "./connection.ts";
import { Buffer } from "node:buffer";
import {
  connect,
  type IClientOptions,
  type IConnackPacket,
  type IPublishPacket,
  type MqttClient,
  type Packet,
} from "./deps.ts";
import { ConnectionError, NotSupportedError, TimeoutError, toError } from "./errors.ts";
import { PacketIds } from "./packet_ids.ts";
import type { Credential, TlsOptions } from "./queue_options.ts";
import { sharedFilter } from "./topic_filter.ts";
import { settledWithin } from "./within.ts";

/** The longest wait between two attempts, in milliseconds. */
const MAX_BACKOFF_MS = 30_000;
/** How long a link must hold before the next loss is a first one again, in milliseconds. */
const STABLE_AFTER_MS = 30_000;
/** How long a broker may take to see us off, in milliseconds. */
const FAREWELL_MS = 2_000;
/** How long a message to ourselves may take, in milliseconds. */
const PROBE_MS = 2_000;
/** SUBACK reason codes for what a broker cannot do ([MQTT-3.9.3]). */
const NOT_SUPPORTED: Record<number, string> = {
  158: "shared subscriptions",
  161: "subscription identifiers",
  162: "wildcards",
};
/** DISCONNECT and CONNACK reason code: another client connected with our id ([MQTT-3.1.4-3]). */
const SESSION_TAKEN_OVER = 142;

/** What a link is made of. */
export interface LinkOptions {
  url: string;
  clientId: string;
  protocolVersion: 4 | 5;
  username?: Credential;
  password?: Credential;
  tls: TlsOptions;
  /** Milliseconds. */
  keepaliveTimeout: number;
  /** Milliseconds. */
  connectTimeout: number;
  /** Whether a lost link is made again. */
  retryConnect: boolean;
  /** Milliseconds. */
  reconnectTimeout: number;
  /** Seconds that the session outlives the link, on MQTT 5. */
  sessionExpiry: number;
  /** Unacknowledged messages that the broker may have out, on MQTT 5. */
  receiveMaximum?: number;
  /** Whether the session ends with `close`. */
  isPrivate: boolean;
}

/** What a link reports. */
export interface LinkHandlers {
  /** The MQTT.js client is there and not connected yet: the moment to hook into it. */
  onClient?(client: MqttClient): void;
  /** Connected again. */
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
  #client: MqttClient | null = null;
  #state: LinkState = "closed";
  #opening: PromiseWithResolvers<void> | null = null;
  #connack: IConnackPacket | null = null;
  #lastError: Error | undefined;
  #takenOver = false;
  #attempts = 0;
  #connectedAt = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #pingsSent = 0;
  #pingsAnswered = 0;
  readonly #pingWaiters: { answered: number; resolve: () => void }[] = [];

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

  /** Connects once; rejects, and leaves nothing behind, where that fails. */
  async open(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await requireNetworkPermission(this.#options.url);
    const opening = this.#opening = Promise.withResolvers<void>();
    opening.promise.catch(() => {}); // It may fail before it is awaited below.
    this.#change("connecting");
    const client = this.#client = connect(this.#options.url, this.#clientOptions());
    this.#listen(client);
    this.#handlers.onClient?.(client);
    const abort = () => opening.reject(signal!.reason);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      await this.#renewCredentials(client);
      signal?.throwIfAborted();
      client.connect();
      await opening.promise;
    } catch (error) {
      this.#change("closed", { cause: toError(error) });
      await end(client, true);
      throw error;
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#opening = null;
    }
  }

  /** Forgets a publish: it is not sent again, and a late acknowledgement reaches no other. */
  forget(packetId: number): void {
    this.client.removeOutgoingMessage(packetId);
    this.#packetIds.quarantine(packetId);
  }

  /** One round trip: resolves when the broker has answered what was sent before, or the link is lost. */
  ping(): Promise<void> {
    if (this.#state !== "connected") return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.client.sendPing();
    this.#pingWaiters.push({ answered: this.#pingsSent, resolve });
    return promise;
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

  /**
   * Whether a shared subscription delivers. MQTT 3.1.1 has no word for that, and there are brokers
   * that grant one and never deliver to it: a message to ourselves tells.
   */
  async deliversToShared(): Promise<boolean> {
    const topic = `mmq-probe/${crypto.randomUUID()}`;
    const filter = sharedFilter("mmq-probe", topic);
    const { promise: delivered, resolve } = Promise.withResolvers<void>();
    const receive = (packet: Packet) => {
      if (packet.cmd === "publish" && packet.topic === topic) resolve();
    };
    this.client.on("packetreceive", receive);
    try {
      await this.client.subscribeAsync(filter, { qos: 0 });
      await this.client.publishAsync(topic, "");
      return await settledWithin(PROBE_MS, delivered);
    } catch {
      return false; // Refused: that is an answer too.
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
      await end(client, false, isPrivate && protocolVersion === 5 ? 0 : undefined);
    } else {
      await end(client, true);
    }
    const sessionRemains = protocolVersion === 4 || !connected;
    if (isPrivate && sessionRemains && !this.#takenOver) await this.#discardSession();
  }

  #clientOptions(): IClientOptions {
    const options = this.#options;
    const keepalive = Math.ceil(options.keepaliveTimeout / 1000);
    const { ca, cert, key, rejectUnauthorized } = options.tls;
    return {
      manualConnect: true,
      reconnectPeriod: 0, // The attempts are ours, so that they back off and ask for credentials.
      clean: false, // MQTT.js would send `true` at every reconnect too and lose the session.
      clientId: options.clientId,
      protocolVersion: options.protocolVersion,
      keepalive,
      connectTimeout: options.connectTimeout,
      ...ca === undefined ? {} : { ca: bufferOf(ca) },
      ...cert === undefined ? {} : { cert: bufferOf(cert) },
      ...key === undefined ? {} : { key: bufferOf(key) },
      rejectUnauthorized,
      resubscribe: false,
      queueQoSZero: false,
      timerVariant: "native",
      messageIdProvider: this.#packetIds,
      ...options.protocolVersion === 5
        ? {
          properties: {
            sessionExpiryInterval: options.sessionExpiry,
            ...options.receiveMaximum === undefined
              ? {}
              : { receiveMaximum: options.receiveMaximum },
          },
        }
        : {},
    };
  }

  async #renewCredentials(client: MqttClient): Promise<void> {
    const { username, password } = this.#options;
    client.options.username = await valueOf(username);
    client.options.password = await valueOf(password);
  }

  #listen(client: MqttClient): void {
    client.on("connect", (packet) => this.#up(packet));
    client.on("error", (error) => {
      this.#lastError = this.#explain(error);
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
    client.on("packetsend", (packet) => {
      if (packet.cmd === "pingreq") this.#pingsSent++;
    });
    client.on("packetreceive", (packet) => {
      if (packet.cmd === "pingresp") this.#answerPings(++this.#pingsAnswered);
    });
  }

  #up(packet: IConnackPacket): void {
    if (this.#state === "closed") return;
    // A small packet must not wait for the acknowledgement of the one before it (TCP only).
    (this.client.stream as { setNoDelay?(on: boolean): void }).setNoDelay?.(true);
    this.#connack = packet;
    this.#connectedAt = Date.now();
    this.#lastError = undefined;
    this.#change("connected");
    if (this.#opening !== null) this.#opening.resolve();
    else this.#handlers.onReconnect(packet.sessionPresent);
  }

  #down(): void {
    this.#pingsAnswered = this.#pingsSent;
    this.#answerPings(Infinity);
    const cause = this.#lastError ?? new ConnectionError(
      `Cannot ${this.#opening === null ? "keep the link" : "connect"} to ${this.#options.url}: ` +
        "the broker closed it without a reason",
      this.#options.url,
      null,
    );
    if (this.#opening !== null) {
      this.#opening.reject(cause);
    } else if (this.#state !== "closed") {
      this.#lose(cause);
    }
  }

  #lose(cause: Error): void {
    if (this.#takenOver || !this.#options.retryConnect) {
      this.#change("disconnected", { cause });
      if (this.#takenOver) this.#handlers.onTakenOver();
      return;
    }
    if (this.#state === "connected" && Date.now() - this.#connectedAt >= STABLE_AFTER_MS) {
      this.#attempts = 0;
    }
    const retryInMs = backoff(this.#options.reconnectTimeout, this.#attempts++);
    this.#change("reconnecting", { cause, retryInMs });
    this.#retryTimer = setTimeout(() => this.#retry(), retryInMs);
  }

  async #retry(): Promise<void> {
    const client = this.client;
    try {
      await this.#renewCredentials(client);
    } catch (error) {
      if (this.#state === "reconnecting") this.#lose(toError(error));
      return;
    }
    if (this.#state !== "reconnecting") return;
    this.#lastError = undefined;
    // The stores go with it: what was sent and not acknowledged is sent again.
    client.reconnect({ incomingStore: client.incomingStore, outgoingStore: client.outgoingStore });
  }

  #answerPings(answered: number): void {
    while (this.#pingWaiters.length > 0 && this.#pingWaiters[0].answered <= answered) {
      this.#pingWaiters.shift()!.resolve();
    }
  }

  /** Takes the session over with a clean one, which ends with its link ([MQTT-3.1.2-6] of 3.1.1). */
  async #discardSession(): Promise<void> {
    const options = this.#clientOptions();
    const { promise, resolve } = Promise.withResolvers<void>();
    const client = connect(this.#options.url, {
      ...options,
      clean: true,
      connectTimeout: Math.min(this.#options.connectTimeout, FAREWELL_MS),
      properties: undefined,
    });
    client.on("connect", () => resolve());
    client.on("close", () => resolve());
    client.on("error", () => {}); // The broker is not there: the session ends by its own expiry.
    try {
      await this.#renewCredentials(client);
      client.connect();
      await promise;
    } catch {
      // A credential function that fails now has nothing more to protect.
    }
    await end(client, !client.connected);
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

/** Ends a client within a bounded time, whatever the other side does. */
async function end(client: MqttClient, force: boolean, sessionExpiryInterval?: number) {
  if (client.stream === undefined) return; // It was never connected.
  const properties = sessionExpiryInterval === undefined ? {} : { sessionExpiryInterval };
  // What is not answered yet would keep it waiting.
  for (const packetId of Object.keys(client.outgoing)) client.removeOutgoingMessage(+packetId);
  const ended = client.endAsync(force, { reasonCode: 0, properties });
  if (!await settledWithin(FAREWELL_MS, ended)) {
    client.stream.destroy();
    await ended;
  }
  await new Promise((resolve) => setTimeout(resolve)); // MQTT.js's store has one timer of 0 ms left.
}

async function valueOf(credential: Credential | undefined): Promise<string | undefined> {
  return typeof credential === "function" ? await credential() : credential;
}

function bufferOf(pem: string | Uint8Array): string | Buffer {
  return typeof pem === "string" ? pem : Buffer.from(pem);
}

/** Without it MQTT.js would neither connect nor say why. */
async function requireNetworkPermission(url: string): Promise<void> {
  const { hostname, port, protocol } = new URL(url);
  const defaults: Record<string, string> = { "mqtt:": "1883", "mqtts:": "8883", "ws:": "80" };
  const host = `${hostname}:${port || (defaults[protocol] ?? "443")}`;
  const status = await Deno.permissions.request({ name: "net", host });
  if (status.state !== "granted") {
    throw new ConnectionError(
      `Cannot connect to ${url}: Deno needs the permission --allow-net=${host}`,
      url,
      null,
    );
  }
}
