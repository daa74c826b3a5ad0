import type { MqttClient, Packet } from "./deps.ts";
import { sharedFilter } from "./topic_filter.ts";
import { settledWithin } from "./within.ts";

/** How long a message to ourselves may take, in milliseconds. */
const PROBE_MS = 2_000;

/**
 * Whether a shared subscription delivers. MQTT 3.1.1 has no word for that, and there are brokers
 * that grant one and never deliver to it: a message to ourselves tells.
 */
export async function deliversToShared(client: MqttClient): Promise<boolean> {
  const topic = `mmq-probe/${crypto.randomUUID()}`;
  const filter = sharedFilter("mmq-probe", topic);
  const { promise: delivered, resolve } = Promise.withResolvers<void>();
  const receive = (packet: Packet) => {
    if (packet.cmd === "publish" && packet.topic === topic) resolve();
  };
  client.on("packetreceive", receive);
  try {
    await client.subscribeAsync(filter, { qos: 0 });
    await client.publishAsync(topic, "");
    return await settledWithin(PROBE_MS, delivered);
  } catch {
    return false; // Refused: that is an answer too.
  } finally {
    client.off("packetreceive", receive);
    if (client.connected) await client.unsubscribeAsync(filter);
  }
}
