import type { BrokerLimits, OutgoingMessage } from "../../lib/connection.ts";
import type { PublishLink } from "../../lib/outgoing_publishes.ts";
import { PacketBatch } from "../../lib/packet_batch.ts";
import type { AcknowledgementType } from "../../lib/publish_packet.ts";
import { concat, type Packet, parsePackets, wordsOf } from "./packets.ts";

/** A link without a network: what is written waits to be looked at. */
export class FakePublishLink implements PublishLink {
  readonly url = "mqtt://broker.example";
  sendsJson = true;
  limits: BrokerLimits = {
    protocolVersion: 5,
    maximumQoS: 2,
    retainAvailable: true,
    wildcards: true,
    sharedSubscriptions: true,
    receiveMaximum: 65_535,
    maximumPacketSize: null,
  };
  /** Whether there is room for more behind what is written. */
  hasRoom = true;
  #written: Uint8Array[] = [];
  #batch: PacketBatch | null = null;

  writePublish(message: OutgoingMessage, packetId: number, dup: boolean): boolean {
    this.#packets.writePublish(message, packetId, dup);
    return this.hasRoom;
  }

  writeAcknowledgement(type: AcknowledgementType, packetId: number): void {
    this.#packets.writeAcknowledgement(type, packetId);
  }

  /** The packets that were written since this was asked for last. */
  takePackets(): Packet[] {
    this.#batch?.flush();
    this.#batch = null; // The version may be another next time.
    const bytes = concat(this.#written);
    this.#written = [];
    return parsePackets(bytes, this.limits.protocolVersion);
  }

  /** The same in words, such as `publish 7 body dup`. */
  take(): string[] {
    return this.takePackets().map(wordsOf);
  }

  get #packets(): PacketBatch {
    const write = (bytes: Uint8Array) => this.#written.push(bytes) > 0;
    return this.#batch ??= new PacketBatch(this.limits.protocolVersion, write);
  }
}
