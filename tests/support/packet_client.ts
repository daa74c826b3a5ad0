import { type IClientOptions, mqtt, type MqttClient } from "../deps.ts";

/** A message as the wire brought it. */
export interface PacketMessage {
  topic: string;
  text: string;
  payload: Uint8Array;
  qos: number;
  dup: boolean;
  retain: boolean;
  messageId: number | undefined;
}

/** How a {@linkcode PacketClient} connects. */
export interface PacketClientOptions extends IClientOptions {
  /** Whether received messages stay unacknowledged. @default {false} */
  withholdAcks?: boolean;
}

/** What of MQTT.js is used beyond its own types. */
interface ClientInside {
  _sendPacket(packet: { cmd: string }, ...rest: unknown[]): unknown;
  sendPing(): void;
}

/** A plain MQTT.js client that notes every packet: what it sees is what the broker sent. 3.1.1 unless told otherwise. */
export class PacketClient implements AsyncDisposable {
  readonly client: MqttClient;
  /** Every message so far, in the order of arrival, repeated ones too. */
  readonly messages: PacketMessage[] = [];
  /** The name of every packet so far. */
  readonly packets: string[] = [];
  readonly #arrivals = new EventTarget();

  /** Connects; rejects where the broker refuses. */
  static async connect(url: string, options: PacketClientOptions = {}): Promise<PacketClient> {
    const { withholdAcks = false, ...rest } = options;
    const client = mqtt.connect(url, {
      protocolVersion: 4,
      reconnectPeriod: 0,
      manualConnect: true,
      ...rest,
    });
    const packetClient = new PacketClient(client);
    if (withholdAcks) withhold(client as unknown as ClientInside);
    const connected = Promise.withResolvers<void>();
    client.once("connect", () => connected.resolve());
    client.once("error", connected.reject);
    client.once("close", () => connected.reject(new Error("Cannot connect: the link was closed")));
    client.connect();
    try {
      await connected.promise;
    } catch (error) {
      await client.endAsync();
      throw error;
    }
    return packetClient;
  }

  private constructor(client: MqttClient) {
    this.client = client;
    // An error of the link comes with a close; without a listener it would end the process.
    client.on("error", () => {});
    client.on("packetreceive", (packet) => {
      this.packets.push(packet.cmd);
      if (packet.cmd === "publish") {
        const { topic, qos, dup, retain, messageId } = packet;
        const payload = Uint8Array.from(packet.payload as Uint8Array);
        const text = new TextDecoder().decode(payload);
        this.messages.push({ topic, text, payload, qos, dup, retain, messageId });
      }
      this.#arrivals.dispatchEvent(new Event("packet"));
    });
  }

  /** Resolves as soon as this many messages have come, with all of them. */
  async waitForMessages(count: number): Promise<PacketMessage[]> {
    while (this.messages.length < count) await this.#nextPacket();
    return this.messages;
  }

  /** One round trip: whatever the broker sent before is there when this resolves. */
  async ping(): Promise<void> {
    const seen = this.packets.length;
    (this.client as unknown as ClientInside).sendPing();
    while (!this.packets.includes("pingresp", seen)) await this.#nextPacket();
  }

  /** Cuts the link without a DISCONNECT, as a crash does. */
  async crash(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.client.once("close", () => resolve()));
    this.client.stream.destroy();
    await closed;
    await this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.endAsync();
    // MQTT.js starts a timer of 0 ms at every connect; one started after it ends after it.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }

  #nextPacket(): Promise<void> {
    return new Promise((resolve) =>
      this.#arrivals.addEventListener("packet", () => resolve(), { once: true })
    );
  }
}

function withhold(client: ClientInside): void {
  const send = client._sendPacket.bind(client);
  client._sendPacket = (packet, ...rest) => {
    if (packet.cmd !== "puback" && packet.cmd !== "pubrec") return send(packet, ...rest);
    const done = rest.find((argument) => typeof argument === "function");
    if (typeof done === "function") done();
    return client;
  };
}
