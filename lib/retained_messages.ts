import type { Delivery } from "./connection.ts";
import { ConnectionError } from "./errors.ts";
import type { MqttLink } from "./mqtt_link.ts";

/** Looks at the retained messages under a filter that is not subscribed to otherwise: all of them, or none. */
export async function readRetained(
  link: MqttLink,
  filter: string,
  onMessage: (delivery: Delivery) => void,
): Promise<void> {
  const { losses } = link;
  const unwatch = link.watch((delivery) => {
    if (delivery.retain) onMessage(delivery);
  });
  try {
    await link.subscriptions.subscribe(filter, 0, "always");
    await link.ping(); // They came before the answer to this.
  } finally {
    unwatch();
    await link.subscriptions.end(filter);
  }
  if (link.losses === losses) return;
  const message = `Cannot read "${filter}": the link was lost meanwhile`;
  throw new ConnectionError(message, link.url, null);
}
