import type { QoS } from "./connection.ts";
import type { MqttClient } from "./deps.ts";
import { refusedSubscription } from "./link_errors.ts";

/** How a link subscribes, and sees that what it does not want any more ends, on another link too. */
export class LinkSubscriptions {
  readonly #client: () => MqttClient;
  readonly #url: string;
  /** Not wanted, and the session may have them. */
  readonly #leftOver = new Set<string>();

  /** @param url names the broker in errors */
  constructor(client: () => MqttClient, url: string) {
    this.#client = client;
    this.#url = url;
  }

  /**
   * Subscribes.
   *
   * @param retained whether what is retained comes with a new subscription only, or always
   * @returns what the broker grants, which may be less ([MQTT-3.8.4-8])
   * @throws {ConnectionError} where it refuses
   * @throws {NotSupportedError} where it says that it cannot
   */
  async subscribe(filter: string, qos: QoS, retained: "once" | "always"): Promise<QoS> {
    const rh = retained === "once" ? 1 : 0; // [MQTT-3.3.1-10]
    let granted: { qos: number }[];
    try {
      granted = await this.#client().subscribeAsync(filter, { qos, rh });
    } catch (error) {
      throw refusedSubscription(filter, this.#url, error);
    }
    return Math.min(...granted.map((each) => each.qos)) as QoS;
  }

  /** Ends a subscription; on the next link where this one is down. */
  async end(filter: string): Promise<void> {
    this.#leftOver.add(filter);
    if (!this.#client().connected) return;
    await this.#client().unsubscribeAsync(filter);
    this.#leftOver.delete(filter);
  }

  /** A new link is up. */
  link(): void {
    for (const filter of this.#leftOver) {
      this.end(filter).catch(() => {}); // The link is lost again, and it is left over again.
    }
  }
}
