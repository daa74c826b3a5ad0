import { Buffer } from "node:buffer";
import { connect, type IClientOptions, type IStream, MqttClient } from "./deps.ts";
import { ConnectionError, TimeoutError } from "./errors.ts";
import type { PacketIds } from "./packet_ids.ts";
import { type TapHandlers, tapPackets } from "./packet_tap.ts";
import { publicUrl } from "./public_url.ts";
import type { Credential, TlsOptions } from "./queue_options.ts";
import { TcpStream } from "./tcp_stream.ts";
import { settledWithin } from "./within.ts";

/** How long a broker may take to see us off, in milliseconds. */
const FAREWELL_MS = 2_000;

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
  /** Whether payloads may be envelopes in JSON: they can be marked as sent again. */
  sendsJson: boolean;
  /** Whether the session ends with `close`. */
  isPrivate: boolean;
  /** Whether what a process before us left under this client id is dropped when the link is opened. */
  startsClean: boolean;
}

/**
 * An MQTT.js client that is not connected and does nothing by itself.
 *
 * @param packetIds of what it sends itself
 * @param handlers get every message and acknowledgement; MQTT.js sees none of them
 */
export function createClient(
  options: LinkOptions,
  packetIds: PacketIds,
  handlers: TapHandlers,
): MqttClient {
  const given = { ...clientOptions(options), messageIdProvider: packetIds };
  return newClient(
    options.url,
    given,
    (stream) => tapPackets(stream, options.protocolVersion, handlers),
  );
}

/** The private part of MQTT.js that is used here, and nowhere else. */
interface Internals {
  streamBuilder: (client: MqttClient) => IStream;
}

/** Over plain TCP with a stream of our own; the other transports are MQTT.js's. */
function newClient(
  url: string,
  options: IClientOptions,
  tapped: (stream: IStream) => IStream = (stream) => stream,
): MqttClient {
  const { protocol, hostname, port } = new URL(url);
  if (protocol === "mqtt:") {
    const host = hostname.replace(/^\[|\]$/g, ""); // An IPv6 address stands in brackets.
    return new MqttClient(() => tapped(new TcpStream(host, Number(port || 1883))), options);
  }
  const client = connect(url, options);
  client.options.clientId = options.clientId; // It would take one from the address, for both links.
  const internals = client as unknown as Internals;
  const build = internals.streamBuilder;
  if (typeof build !== "function") {
    throw new Error("Cannot read messages: this version of MQTT.js has no streamBuilder");
  }
  internals.streamBuilder = (client) => tapped(build(client));
  return client;
}

/**
 * Asks for user name and password, which may have changed since the last connect.
 *
 * @param wanted where it rejects, nobody waits for them any more
 */
export async function renewCredentials(
  client: MqttClient,
  options: LinkOptions,
  wanted: Promise<void> = new Promise(() => {}),
): Promise<void> {
  const { username, password, connectTimeout, url } = options;
  const asked = Promise.all([valueOf(username), valueOf(password)]);
  if (!await settledWithin(connectTimeout, Promise.race([asked, wanted]))) {
    throw new TimeoutError(
      `Cannot connect to ${
        publicUrl(url)
      }: the credential function gave nothing within ${connectTimeout} ms`,
      connectTimeout,
    );
  }
  [client.options.username, client.options.password] = await asked;
}

/** Ends a client within a bounded time, whatever the other side does. */
export async function endClient(
  client: MqttClient,
  force: boolean,
  sessionExpiryInterval?: number,
): Promise<void> {
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

/** Takes the session over with a clean one, which ends with its link ([MQTT-3.1.2-6] of 3.1.1). */
export async function discardSession(options: LinkOptions): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const client = newClient(options.url, {
    ...clientOptions(options),
    clean: true,
    connectTimeout: Math.min(options.connectTimeout, FAREWELL_MS),
    properties: undefined,
  });
  client.on("connect", () => resolve());
  client.on("close", () => resolve());
  client.on("error", () => {}); // The broker is not there: the session ends by its own expiry.
  try {
    await renewCredentials(client, options);
    client.connect();
    await promise;
  } catch {
    // A credential function that fails now has nothing more to protect.
  }
  await endClient(client, !client.connected);
}

function clientOptions(options: LinkOptions): IClientOptions {
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
    log: () => {}, // Its own asks what to show at every step of every packet.
    reschedulePings: false, // A ping at each keepalive costs less than a new timer for each packet.
    ...options.protocolVersion === 5
      ? {
        properties: {
          sessionExpiryInterval: options.sessionExpiry,
          ...options.receiveMaximum === undefined ? {} : { receiveMaximum: options.receiveMaximum },
        },
      }
      : {},
  };
}

async function valueOf(credential: Credential | undefined): Promise<string | undefined> {
  return typeof credential === "function" ? await credential() : credential;
}

function bufferOf(pem: string | Uint8Array): string | Buffer {
  return typeof pem === "string" ? pem : Buffer.from(pem);
}

/** Without it MQTT.js would neither connect nor say why. */
export async function requireNetworkPermission(url: string): Promise<void> {
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
