import type { OutgoingMessage } from "./connection.ts";
import { PacketWriter } from "./packet_writer.ts";
import {
  type AcknowledgementType,
  writeAcknowledgement,
  writePublishHead,
} from "./publish_packet.ts";

/** Bytes that are gathered for one write. */
const MOST_BYTES = 65_536;
/** A payload that is worth a write of its own rather than a copy, in bytes. */
const LARGE_BYTES = 8_192;

/** Where messages and acknowledgements are written to. */
export interface PacketSink {
  /**
   * Writes a message; `false` where the caller should wait for room.
   *
   * @param packetId 0 at QoS 0
   * @param dup whether it was sent before
   * @throws {RangeError} where it is, or holds, more than a packet can carry; nothing is written then
   */
  writePublish(message: OutgoingMessage, packetId: number, dup: boolean): boolean;
  writeAcknowledgement(type: AcknowledgementType, packetId: number): void;
}

/** Packets on their way to a stream: what is written in one turn of the event loop goes out as one chunk. */
export class PacketBatch implements PacketSink {
  readonly #version: 4 | 5;
  readonly #write: (bytes: Uint8Array) => boolean;
  readonly #writer = new PacketWriter();
  #hasRoom = true;
  #isDue = false;

  /** @param write writes to the stream; `false` where it wants a pause, until `drained` */
  constructor(version: 4 | 5, write: (bytes: Uint8Array) => boolean) {
    this.#version = version;
    this.#write = write;
  }

  writePublish(message: OutgoingMessage, packetId: number, dup: boolean): boolean {
    const { length } = this.#writer;
    try {
      writePublishHead(this.#writer, message, { version: this.#version, packetId, dup });
    } catch (error) {
      this.#writer.truncate(length);
      throw error;
    }
    const { payload } = message;
    if (payload.byteLength < LARGE_BYTES) {
      this.#writer.raw(payload);
      this.#gather();
    } else {
      this.flush();
      this.#hasRoom = this.#write(payload);
    }
    return this.#hasRoom;
  }

  writeAcknowledgement(type: AcknowledgementType, packetId: number): void {
    writeAcknowledgement(this.#writer, type, packetId);
    this.#gather();
  }

  /** Writes what is gathered, so that something else can follow it. */
  flush(): void {
    if (this.#writer.length > 0) this.#hasRoom = this.#write(this.#writer.take());
  }

  /** The stream has room again. */
  drained(): void {
    this.#hasRoom = true;
  }

  #gather(): void {
    if (this.#writer.length >= MOST_BYTES) this.flush();
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      this.flush();
    });
  }
}
