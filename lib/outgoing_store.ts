import { EventEmitter } from "node:events";
import type { IPublishPacket, IStore, Packet } from "./deps.ts";

type Id = Pick<Packet, "messageId">;
type Stream = ReturnType<IStore["createStream"]>;
type Done = (error?: Error, packet?: Packet) => void;

/**
 * What was sent and is not answered, for MQTT.js. Its own store hands a message out when the one
 * before is answered, a round trip each; with this one all go out at once after a reconnect, in
 * order ([MQTT-4.6.0-1]), and the link is up again when the last is written.
 */
export class OutgoingStore implements IStore {
  readonly #packets = new Map<number, Packet>();
  readonly #onResend: (packet: IPublishPacket) => void;

  /** @param onResend told of each publish that is sent again, just before */
  constructor(onResend: (packet: IPublishPacket) => void) {
    this.#onResend = onResend;
  }

  put(packet: Packet, done: () => void): this {
    this.#packets.set(packet.messageId!, packet);
    done();
    return this;
  }

  del({ messageId }: Id, done: Done): this {
    const packet = this.#packets.get(messageId!);
    this.#packets.delete(messageId!);
    if (packet === undefined) done(new Error("missing packet"));
    else done(undefined, packet);
    return this;
  }

  get({ messageId }: Id, done: Done): this {
    const packet = this.#packets.get(messageId!);
    if (packet === undefined) done(new Error("missing packet"));
    else done(undefined, packet);
    return this;
  }

  /** It is used again on the next link, so there is nothing to do. */
  close(done: () => void): void {
    done();
  }

  createStream(): Stream {
    return new ResendStream([...this.#packets.values()], this.#onResend) as unknown as Stream;
  }
}

/** The part of a readable stream that MQTT.js uses: it asks for a packet, or to be told of one. */
class ResendStream extends EventEmitter {
  #packets: Packet[];
  readonly #onResend: (packet: IPublishPacket) => void;
  /** Takes one packet and sends it. */
  #deliver: (() => void) | null = null;
  #handed = 0;

  constructor(packets: Packet[], onResend: (packet: IPublishPacket) => void) {
    super();
    this.#packets = packets;
    this.#onResend = onResend;
  }

  /** Nothing at first: MQTT.js leaves the function then that takes the next. */
  read(): Packet | null {
    const packet = this.#deliver === null ? undefined : this.#packets[this.#handed];
    if (packet === undefined) return null;
    this.#handed++;
    if (packet.cmd === "publish") this.#onResend(packet);
    return packet;
  }

  override once(event: string, listener: () => void): this {
    if (event !== "readable") return super.once(event, listener);
    if (this.#deliver !== null) return this; // All is handed out.
    this.#deliver = listener;
    queueMicrotask(() => this.#handOut(listener));
    return this;
  }

  destroy(): this {
    this.#packets = [];
    return this;
  }

  #handOut(deliver: () => void): void {
    try {
      while (this.#handed < this.#packets.length) deliver();
      this.emit("end");
    } catch (error) {
      this.emit("error", error);
    }
  }
}
