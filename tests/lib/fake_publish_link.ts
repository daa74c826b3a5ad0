import type { BrokerLimits } from "../../lib/connection.ts";
import type { PublishLink } from "../../lib/outgoing_publishes.ts";
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

  write(bytes: Uint8Array): boolean {
    this.#written.push(bytes);
    return this.hasRoom;
  }

  /** The packets that were written since this was asked for last. */
  takePackets(): Packet[] {
    const bytes = concat(this.#written);
    this.#written = [];
    return parsePackets(bytes, this.limits.protocolVersion);
  }

  /** The same in words, such as `publish 7 body dup`. */
  take(): string[] {
    return this.takePackets().map(wordsOf);
  }
}
