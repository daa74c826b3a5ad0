import type { MqttLink } from "./mqtt_link.ts";
import { sharedFilter } from "./topic_filter.ts";
import { settledWithin } from "./within.ts";

/** How long a message to ourselves may take, in milliseconds. */
const PROBE_MS = 2_000;

/**
 * Whether a shared subscription delivers. MQTT 3.1.1 has no word for that, and there are brokers
 * that grant one and never deliver to it: a message to ourselves tells.
 */
export async function deliversToShared(link: MqttLink): Promise<boolean> {
  const topic = `mmq-probe/${crypto.randomUUID()}`;
  const filter = sharedFilter("mmq-probe", topic);
  const { promise: delivered, resolve } = Promise.withResolvers<void>();
  const unwatch = link.watch((delivery) => {
    if (delivery.topic === topic) resolve();
  });
  try {
    await link.subscriptions.subscribe(filter, 0, "once");
    const message = {
      ...{ topic, payload: new Uint8Array(), properties: {} },
      ...{ qos: 0, retain: false } as const,
    };
    link.publishes.publish({ message, packetId: 0, answer: () => {} });
    return await settledWithin(PROBE_MS, delivered);
  } catch {
    return false; // Refused: that is an answer too.
  } finally {
    unwatch();
    await link.subscriptions.end(filter);
  }
}
