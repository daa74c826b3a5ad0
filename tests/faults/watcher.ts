import { setTimeout as delay } from "node:timers/promises";
import { mqtt, type MqttClient } from "../deps.ts";
import { PacketClient } from "../support/packet_client.ts";

/** Who is silent for so long has sent everything. */
const SILENT_MS = 300;

/**
 * Counts how often the broker took each message. It has a link of its own that no fault touches but
 * the broker's restarts, is no part of the queue, and tells a message that the broker took twice from
 * one that came to it twice: that one has DUP and the packet id under which it was seen.
 */
export class Watcher implements AsyncDisposable {
  /** How often the broker took each message. */
  readonly taken = new Map<string, number>();
  readonly #client: MqttClient;
  readonly #idOf = new Map<number, string>();

  /** Resolves when it sees everything under the filter. */
  static async start(url: string, filter: string, protocolVersion: 4 | 5): Promise<Watcher> {
    const watcher = new Watcher(url, protocolVersion);
    await watcher.#client.subscribeAsync(filter, { qos: 2 });
    return watcher;
  }

  private constructor(url: string, protocolVersion: 4 | 5) {
    this.#client = mqtt.connect(url, {
      clientId: "watcher",
      clean: false,
      protocolVersion,
      reconnectPeriod: 20,
      ...protocolVersion === 5
        ? { properties: { sessionExpiryInterval: 3_600, receiveMaximum: 65_535 } }
        : {},
    });
    this.#client.on("error", () => {}); // The broker is away, and comes back.
    this.#client.on("packetreceive", (packet) => {
      if (packet.cmd !== "publish" || packet.qos === 0) return;
      const id = idOf(packet.payload as Uint8Array, packet.properties?.userProperties);
      const seenBefore = packet.dup && this.#idOf.get(packet.messageId!) === id;
      this.#idOf.set(packet.messageId!, id);
      if (!seenBefore) this.taken.set(id, (this.taken.get(id) ?? 0) + 1);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.endAsync();
    await new Promise((resolve) => setTimeout(resolve)); // MQTT.js starts a timer of 0 ms at every connect.
  }
}

/** The ids of the messages that are retained under a filter, as they stand in their topics. */
export async function retainedIds(url: string, filter: string): Promise<Set<string>> {
  await using client = await PacketClient.connect(url);
  await client.client.subscribeAsync(filter, { qos: 0 });
  // The embedded broker answers a ping before it has sent everything.
  for (let seen = -1; seen < client.messages.length;) {
    seen = client.messages.length;
    await client.ping();
    await delay(SILENT_MS);
  }
  const topics = client.messages.map(({ topic }) => topic.slice(topic.lastIndexOf("/") + 1));
  return new Set(topics.map(decodeURIComponent));
}

/** How many messages the broker still has for a durable session. */
export async function leftFor(
  url: string,
  clientId: string,
  protocolVersion: 4 | 5,
): Promise<number> {
  await using client = await PacketClient.connect(url, {
    clientId,
    clean: false,
    protocolVersion,
    ...protocolVersion === 5 ? { properties: { sessionExpiryInterval: 3_600 } } : {},
  });
  await client.ping();
  return client.messages.length;
}

function idOf(payload: Uint8Array, properties?: Record<string, string | string[]>): string {
  const named = properties?.message_id;
  if (named !== undefined) return String(named);
  return String(JSON.parse(new TextDecoder().decode(payload)).message_id);
}
