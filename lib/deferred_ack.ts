import type { Buffer } from "node:buffer";
import type { Delivery, QoS, WireProperties } from "./connection.ts";
import type { IPublishPacket, MqttClient, Packet } from "./deps.ts";

/** What small payloads are copied into, in bytes: one that is held keeps no more than this. */
const BLOCK_BYTES = 4_096;

/** What `DeferredAcks` reports. */
export interface DeferredAckHandlers {
  /** A message that is not held yet. */
  onDelivery(delivery: Delivery): void;
  /** The broker has no memory of the session; `held` messages can be acknowledged no more. */
  onForgotten(held: number): void;
  /** A held message came again and was recognised. */
  onRedelivered(): void;
  /** A handler threw. */
  onError(error: unknown): void;
}

type SendPacket = (packet: Packet, done?: () => void, ...rest: unknown[]) => void;

/** The private and overridable parts of MQTT.js that are used here, and nowhere else. */
interface Internals {
  _sendPacket: SendPacket;
  handleMessage(packet: IPublishPacket, done: () => void): void;
  onKeepaliveTimeout(): void;
}

/**
 * Holds the acknowledgement of every message until it is settled, so that the broker keeps it
 * (PUBACK at QoS 1; PUBREC at QoS 2: once that is out the broker has dropped the payload).
 *
 * MQTT.js handles packets strictly one after the other and acknowledges by itself; holding its
 * callback would hold every later packet too. So the callback is answered at once, only the
 * outgoing acknowledgement is withheld where MQTT.js hands it to `_sendPacket`, and it is sent
 * through the same door later.
 *
 * A message is known by its packet id. After a reconnect to the same session the broker sends what
 * was not acknowledged again, with the same id and DUP ([MQTT-4.4.0-1]): it is recognised, tied to
 * the new link and not shown a second time. Nothing is acknowledged on a link that did not deliver it.
 */
export class DeferredAcks {
  readonly #client: MqttClient;
  readonly #send: SendPacket;
  readonly #inOrder: boolean;
  readonly #handlers: DeferredAckHandlers;
  /** Delivered and not acknowledged, by packet id. */
  readonly #held = new Map<number, HeldDelivery>();
  /** Acknowledged with PUBREC, PUBREL not seen yet. */
  readonly #released = new Set<number>();
  /** What this link delivered, in order; the part before `#firstInLine` is done and emptied. */
  #line: (HeldDelivery | null)[] = [];
  #firstInLine = 0;
  #linked = false;
  #paused = false;
  /** Whether anything came since the last ping stayed without an answer. */
  #heard = false;
  #resume: (() => void) | undefined;

  /** @param order when an acknowledgement may go out: in the order of arrival, or as settled */
  constructor(client: MqttClient, order: "arrival" | "settled", handlers: DeferredAckHandlers) {
    const internals = client as unknown as Internals;
    if (typeof internals._sendPacket !== "function") {
      throw new Error("Cannot hold acknowledgements: this version of MQTT.js has no _sendPacket");
    }
    this.#client = client;
    this.#handlers = handlers;
    this.#inOrder = order === "arrival";
    this.#send = internals._sendPacket.bind(client);
    this.#intercept(internals);
    client.on("packetreceive", (packet) => this.#receive(packet));
    client.on("close", () => this.#endLink());
  }

  /** Lets the broker forget the message. Harmless at QoS 0, twice, and after the session was lost. */
  settle(delivery: Delivery): void {
    const held = delivery as HeldDelivery;
    if (held.packetId === null || held.settled) return;
    held.settled = true;
    this.#flush(held);
  }

  /** Whether something was settled while the link was down, and waits to be delivered again. */
  get owes(): boolean {
    for (const held of this.#held.values()) {
      if (held.settled && !held.live) return true;
    }
    return false;
  }

  /** Stops or goes on reading. The link stays up: pings go on though their answers wait unread. */
  setPaused(paused: boolean): void {
    this.#paused = paused;
    if (paused) return;
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }

  #intercept(internals: Internals): void {
    internals._sendPacket = (packet, done, ...rest) => {
      const withheld = packet.cmd === "puback" || packet.cmd === "pubrec";
      if (withheld) this.#whenReading(done);
      else this.#send(packet, done, ...rest);
    };
    internals.handleMessage = (packet, done) => {
      if (packet.qos === 0) this.#whenReading(done);
      else done();
    };
    const cut = internals.onKeepaliveTimeout.bind(internals);
    internals.onKeepaliveTimeout = () => {
      // The answer to a ping waits behind what is not read yet. Whoever is heard is there.
      if (!this.#paused && !this.#heard) return cut();
      this.#heard = false;
      this.#client.reschedulePing(true);
      this.#client.sendPing();
    };
  }

  #whenReading(done: (() => void) | undefined): void {
    if (this.#paused) this.#resume = done;
    else done?.();
  }

  #receive(packet: Packet): void {
    this.#heard = true;
    try {
      if (packet.cmd === "publish") this.#arrive(packet);
      else if (packet.cmd === "pubrel") this.#released.delete(packet.messageId!);
      else if (packet.cmd === "connack") this.#beginLink(packet.sessionPresent);
    } catch (error) {
      this.#handlers.onError(error); // An exception here would end MQTT.js's parser.
    }
  }

  #beginLink(sessionPresent: boolean): void {
    if (!sessionPresent) {
      const held = this.#held.size;
      const hadSession = this.#linked;
      this.#held.clear();
      this.#released.clear();
      if (hadSession) this.#handlers.onForgotten(held);
    }
    this.#linked = true;
  }

  #endLink(): void {
    for (const held of this.#held.values()) held.live = false;
    this.#line = [];
    this.#firstInLine = 0;
    this.#resume = undefined;
  }

  #arrive(packet: IPublishPacket): void {
    const delivery = new HeldDelivery(packet);
    const id = delivery.packetId;
    if (id !== null) {
      const known = this.#held.get(id);
      if (known !== undefined && delivery.dup) {
        this.#rebind(known);
        return;
      }
      if (this.#released.has(id) && delivery.dup) {
        this.#write(delivery.qos, id); // Our PUBREC was lost with the last link ([MQTT-4.3.3-1]).
        return;
      }
      // Without DUP the id stands for a new message: the broker has let go of the one before.
      this.#held.set(id, delivery);
      this.#queue(delivery);
    }
    this.#handlers.onDelivery(delivery);
  }

  #rebind(known: HeldDelivery): void {
    if (!known.live) {
      known.live = true;
      this.#queue(known);
    }
    this.#handlers.onRedelivered();
    if (known.settled) this.#flush(known);
  }

  #queue(held: HeldDelivery): void {
    if (this.#inOrder) this.#line.push(held);
  }

  #flush(settled: HeldDelivery): void {
    if (!settled.live) return;
    if (!this.#inOrder) {
      this.#acknowledge(settled);
      return;
    }
    // [MQTT-4.6.0-2], [MQTT-4.6.0-3]: in the order in which the messages came.
    while (this.#firstInLine < this.#line.length) {
      const first = this.#line[this.#firstInLine]!;
      if (!first.settled && this.#isHeld(first)) break;
      this.#line[this.#firstInLine++] = null;
      this.#acknowledge(first);
    }
    if (this.#firstInLine > 1024 && this.#firstInLine * 2 > this.#line.length) {
      this.#line = this.#line.slice(this.#firstInLine);
      this.#firstInLine = 0;
    }
  }

  /** Whether the packet id still stands for this message. */
  #isHeld(held: HeldDelivery): boolean {
    return this.#held.get(held.packetId!) === held;
  }

  #acknowledge(held: HeldDelivery): void {
    if (!this.#isHeld(held)) return;
    this.#held.delete(held.packetId!);
    if (held.qos === 2) this.#released.add(held.packetId!);
    this.#write(held.qos, held.packetId!);
  }

  #write(qos: QoS, messageId: number): void {
    this.#send({ cmd: qos === 2 ? "pubrec" : "puback", messageId, reasonCode: 0 });
  }
}

/** A message as it came, not held. */
export function deliveryOf(packet: IPublishPacket): Delivery {
  return new HeldDelivery(packet);
}

let block = new Uint8Array(BLOCK_BYTES);
let blockUsed = 0;

/**
 * The bytes without the network chunk they were cut from, which a view would keep in memory. Small
 * ones share a block: a block for each would cost more than all the rest.
 */
function compact(bytes: Uint8Array): Uint8Array {
  const { byteLength } = bytes;
  if (byteLength * 2 >= bytes.buffer.byteLength) {
    return new Uint8Array(bytes.buffer, bytes.byteOffset, byteLength);
  }
  if (byteLength > BLOCK_BYTES / 4) return new Uint8Array(bytes);
  if (blockUsed + byteLength > BLOCK_BYTES) {
    block = new Uint8Array(BLOCK_BYTES);
    blockUsed = 0;
  }
  block.set(bytes, blockUsed);
  return block.subarray(blockUsed, blockUsed += byteLength);
}

class HeldDelivery implements Delivery {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly packetId: number | null;
  readonly properties: WireProperties;
  settled = false;
  /** Whether the link that is up delivered it. */
  live = true;

  constructor(packet: IPublishPacket) {
    this.topic = packet.topic;
    // MQTT.js keeps the packet of QoS 2 as well: let it keep the same bytes.
    this.payload = packet.payload = compact(packet.payload as Buffer) as Buffer;
    this.qos = packet.qos;
    this.retain = packet.retain;
    this.dup = packet.dup;
    this.packetId = packet.qos === 0 ? null : packet.messageId!;
    this.properties = (packet.properties ?? NO_PROPERTIES) as WireProperties;
  }
}

const NO_PROPERTIES: WireProperties = Object.freeze({});
