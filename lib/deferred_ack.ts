import type { Delivery } from "./connection.ts";
import type { PacketSink } from "./packet_batch.ts";
import { PacketType } from "./publish_packet.ts";

/** What `DeferredAcks` reports. */
export interface DeferredAckHandlers {
  /** A message that is not held yet. */
  onDelivery(delivery: Delivery): void;
  /** The broker has no memory of the session; `held` messages can be acknowledged no more. */
  onForgotten(held: number): void;
  /** A held message came again and was recognised. */
  onRedelivered(): void;
}

/** A message that is not acknowledged. */
interface Held {
  readonly delivery: Delivery;
  settled: boolean;
  /** Whether the link that is up delivered it. */
  live: boolean;
}

/**
 * Holds the acknowledgement of every message until it is settled, so that the broker keeps it
 * (PUBACK at QoS 1; PUBREC at QoS 2: once that is out the broker has dropped the payload).
 *
 * A message is known by its packet id. After a reconnect to the same session the broker sends what
 * was not acknowledged again, with the same id and DUP ([MQTT-4.4.0-1]): it is recognised, tied to
 * the new link and not shown a second time. Nothing is acknowledged on a link that did not deliver it.
 */
export class DeferredAcks {
  readonly #write: PacketSink["writeAcknowledgement"];
  readonly #inOrder: boolean;
  readonly #handlers: DeferredAckHandlers;
  /** Delivered and not acknowledged, by packet id. */
  readonly #held = new Map<number, Held>();
  /** Acknowledged with PUBREC, PUBREL not seen yet. */
  readonly #released = new Set<number>();
  /** What this link delivered, in order; the part before `#firstInLine` is done and emptied. */
  #line: (Held | null)[] = [];
  #firstInLine = 0;
  #linked = false;

  /**
   * @param order when an acknowledgement may go out: in the order of arrival, or as settled
   * @param write writes an acknowledgement to the link that is up
   */
  constructor(
    order: "arrival" | "settled",
    write: PacketSink["writeAcknowledgement"],
    handlers: DeferredAckHandlers,
  ) {
    this.#inOrder = order === "arrival";
    this.#write = write;
    this.#handlers = handlers;
  }

  /** A link is up, before anything came over it. */
  link(sessionPresent: boolean): void {
    if (!sessionPresent) {
      const held = this.#held.size;
      this.#held.clear();
      this.#released.clear();
      if (this.#linked) this.#handlers.onForgotten(held);
    }
    this.#linked = true;
  }

  /** The link is lost. */
  unlink(): void {
    for (const held of this.#held.values()) held.live = false;
    this.#line = [];
    this.#firstInLine = 0;
  }

  /** Takes in a message. */
  receive(delivery: Delivery): void {
    const { packetId: id, dup } = delivery;
    if (id !== null) {
      const known = this.#held.get(id);
      if (known !== undefined && dup) {
        this.#rebind(known);
        return;
      }
      if (this.#released.has(id) && dup) {
        this.#acknowledge(delivery); // Our PUBREC was lost with the last link ([MQTT-4.3.3-1]).
        return;
      }
      // Without DUP the id stands for a new message: the broker has let go of the one before.
      const held = { delivery, settled: false, live: true };
      this.#held.set(id, held);
      if (this.#inOrder) this.#line.push(held);
    }
    this.#handlers.onDelivery(delivery);
  }

  /** Takes in a PUBREL: from now on its packet id stands for a new message ([MQTT-4.3.3-12]). */
  release(packetId: number): void {
    this.#released.delete(packetId);
    this.#write(PacketType.pubcomp, packetId);
  }

  /** Lets the broker forget the message. Harmless at QoS 0, twice, and after the session was lost. */
  settle(delivery: Delivery): void {
    if (delivery.packetId === null) return;
    const held = this.#held.get(delivery.packetId);
    if (held === undefined || held.delivery !== delivery || held.settled) return;
    held.settled = true;
    this.#flush(held);
  }

  /** How many messages are not acknowledged. */
  get held(): number {
    return this.#held.size;
  }

  /** Whether something was settled while the link was down, and waits to be delivered again. */
  get owes(): boolean {
    for (const held of this.#held.values()) {
      if (held.settled && !held.live) return true;
    }
    return false;
  }

  #rebind(known: Held): void {
    if (!known.live) {
      known.live = true;
      if (this.#inOrder) this.#line.push(known);
    }
    this.#handlers.onRedelivered();
    if (known.settled) this.#flush(known);
  }

  #flush(settled: Held): void {
    if (!settled.live) return;
    if (!this.#inOrder) {
      this.#end(settled);
      return;
    }
    // [MQTT-4.6.0-2], [MQTT-4.6.0-3]: in the order in which the messages came.
    while (this.#firstInLine < this.#line.length) {
      const first = this.#line[this.#firstInLine]!;
      if (!first.settled && this.#isHeld(first)) break;
      this.#line[this.#firstInLine++] = null;
      this.#end(first);
    }
    if (this.#firstInLine > 1024 && this.#firstInLine * 2 > this.#line.length) {
      this.#line = this.#line.slice(this.#firstInLine);
      this.#firstInLine = 0;
    }
  }

  /** Whether the packet id still stands for this message. */
  #isHeld(held: Held): boolean {
    return this.#held.get(held.delivery.packetId!) === held;
  }

  #end(held: Held): void {
    if (!this.#isHeld(held)) return;
    const { packetId, qos } = held.delivery;
    this.#held.delete(packetId!);
    if (qos === 2) this.#released.add(packetId!);
    this.#acknowledge(held.delivery);
  }

  #acknowledge({ packetId, qos }: Delivery): void {
    const type = qos === 2 ? PacketType.pubrec : PacketType.puback;
    this.#write(type, packetId!);
  }
}
