import type { Delivery } from "./connection.ts";
import { RecentNames } from "./recent_names.ts";
import { isResent, nameOf } from "./resent_mark.ts";

/** How many messages are remembered by name, at the least. */
const REMEMBERED = 32_768;
/** Packet ids that there is room for at first; brokers give out the low ones first. */
const FEWEST_IDS = 64;

/** Recognises messages that come again though they had come, and are not held any more. */
export class Repetitions {
  readonly #readsJson: boolean;
  /** Names of messages that were settled, by packet id: their acknowledgement may get lost with the link. */
  #settled = new Float64Array(FEWEST_IDS);
  readonly #recent = new RecentNames(REMEMBERED);

  /** @param readsJson whether a payload may be an envelope, more than a body */
  constructor(readsJson: boolean) {
    this.#readsJson = readsJson;
  }

  /** What its sender calls it, `null` where it does not say or the broker would not send it again. */
  nameOf(delivery: Delivery): number | null {
    return delivery.qos === 0 ? null : nameOf(delivery, this.#readsJson);
  }

  /**
   * Whether this is a message that was settled and came again: its PUBACK was lost with the link, or
   * the broker starts QoS 2 anew (aedes does). The packet id alone does not tell, as the broker may
   * have given it to a new message that was lost too: the name must be the same.
   */
  wasSettled({ dup, packetId }: Delivery, name: number): boolean {
    return dup && this.#settled[packetId!] === name;
  }

  /**
   * Whether this is a message that its sender sent again, because an acknowledgement was lost with a
   * link, though it had come. The broker took it for a new one. Its name is remembered where not.
   */
  wasSentAgain(delivery: Delivery, name: number): boolean {
    if (isResent(delivery, this.#readsJson) && this.#recent.has(name)) return true;
    this.#recent.add(name);
    return false;
  }

  /** Remembers that a message is settled. */
  settle({ packetId }: Delivery, name: number): void {
    while (packetId! >= this.#settled.length) {
      const more = new Float64Array(2 * this.#settled.length);
      more.set(this.#settled);
      this.#settled = more;
    }
    this.#settled[packetId!] = name;
  }
}
