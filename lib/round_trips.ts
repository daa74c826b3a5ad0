import type { MqttClient } from "./deps.ts";

/** Round trips to the broker by PINGREQ: whatever it sent before the answer has come by then. */
export class RoundTrips {
  readonly #client: MqttClient;
  readonly #waiters: { number: number; resolve: () => void }[] = [];
  #sent = 0;
  #answered = 0;

  /** @param client its own pings, for the keepalive, are counted too: answers bear no number */
  constructor(client: MqttClient) {
    this.#client = client;
    client.on("packetsend", (packet) => {
      if (packet.cmd === "pingreq") this.#sent++;
    });
    client.on("packetreceive", (packet) => {
      if (packet.cmd === "pingresp") this.#answer(this.#answered + 1);
    });
    client.on("close", () => this.#answer(this.#sent));
  }

  /** Resolves when the broker has answered, or the link is lost. */
  make(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#client.sendPing();
    this.#waiters.push({ number: this.#sent, resolve });
    return promise;
  }

  #answer(number: number): void {
    this.#answered = number;
    while (this.#waiters.length > 0 && this.#waiters[0].number <= number) {
      this.#waiters.shift()!.resolve();
    }
  }
}
