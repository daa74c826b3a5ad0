import { limitPassedBy } from "./broker_limits.ts";
import type { BrokerLimits, OutgoingMessage, Publish } from "./connection.ts";
import { ReasonCodes } from "./deps.ts";
import { ConnectionError, NotSupportedError } from "./errors.ts";
import type { PacketSink } from "./packet_batch.ts";
import { PacketIds } from "./packet_ids.ts";
import { type Acknowledgement, PacketType } from "./publish_packet.ts";
import { markResent } from "./resent_mark.ts";

/** From here on a reason code says that a message was refused. */
const REFUSED = 0x80;
/** PUBACK reason code: taken, and nobody is there to get it ([MQTT-3.4.2.1]). */
const NO_MATCHING_SUBSCRIBERS = 0x10;

/** PUBCOMP reason code: the PUBCOMP before it was lost with its link. That is no failure ([MQTT-3.7.2.1]). */
const PACKET_ID_NOT_FOUND = 0x92;

/** What the publishes of a link need to know of it. */
export interface PublishLink extends PacketSink {
  /** Names it in errors. */
  readonly url: string;
  /** Whether payloads may be envelopes in JSON, which can be marked as sent again. */
  readonly sendsJson: boolean;
  /** What the broker takes. Not before the first link is up. */
  readonly limits: BrokerLimits;
}

/**
 * What was sent on a link and is not answered: PUBLISH until PUBACK (QoS 1), or PUBREC, and PUBREL
 * until PUBCOMP (QoS 2, [MQTT-4.3.3]). What a lost link left without an answer goes out on the next
 * one, at once and in order ([MQTT-4.4.0-1], [MQTT-4.6.0-1]).
 */
export class OutgoingPublishes {
  readonly #link: PublishLink;
  /** By packet id, in the order in which they were sent. */
  readonly #unanswered = new Map<number, Publish>();
  /** Answered with PUBREC. */
  readonly #released = new Set<number>();
  /** Nobody waits for them any more; they go with the link. */
  readonly #forgotten = new Set<number>();
  /** QoS 0, while there is no room to write. */
  readonly #writing = new Set<Publish>();
  /** What is to be sent again and passes the broker's Receive Maximum as it is now. */
  #again: number[] = [];
  #linked = false;

  /** Of all that bears a packet id on this link. */
  readonly ids = new PacketIds((id) => this.#unanswered.has(id));

  constructor(link: PublishLink) {
    this.#link = link;
  }

  /**
   * Sends a message; it is answered when the broker has it (QoS 0: when it is written).
   *
   * @throws {RangeError} where it holds a text that no packet can carry; nothing is written then
   */
  publish(publish: Publish): void {
    const { message } = publish;
    if (message.qos === 0) {
      if (!this.#linked) publish.answer(this.#lost());
      else if (this.#link.writePublish(message, 0, false)) publish.answer();
      else this.#writing.add(publish);
      return;
    }
    const packetId = this.ids.next()!; // There are more than may be in flight.
    this.#link.writePublish(message, packetId, false);
    publish.packetId = packetId;
    this.#unanswered.set(packetId, publish);
  }

  /**
   * Sees that a message is not sent again. What the link has begun it ends: the broker counts it
   * until then, and a late acknowledgement must reach no other.
   */
  forget(publish: Publish): void {
    const { packetId } = publish;
    if (this.#unanswered.get(packetId) !== publish) return;
    const begun = this.#linked && !this.#again.includes(packetId);
    if (begun) this.#forgotten.add(packetId);
    else this.#end(packetId, this.#lost());
  }

  /** There is room to write again. */
  drained(): void {
    const written = [...this.#writing];
    this.#writing.clear();
    for (const publish of written) publish.answer();
  }

  /** Takes in what the broker says of a message. What it says of none of ours is passed over. */
  acknowledge({ type, packetId, reasonCode }: Acknowledgement): void {
    const publish = this.#unanswered.get(packetId);
    if (publish === undefined) return;
    const refused = reasonCode >= REFUSED;
    if (publish.message.qos === 1) {
      if (type === PacketType.puback) this.#answer(packetId, publish, reasonCode);
    } else if (type === PacketType.pubcomp) {
      this.#answer(packetId, publish, reasonCode === PACKET_ID_NOT_FOUND ? 0 : reasonCode);
    } else if (type === PacketType.pubrec && refused) {
      this.#answer(packetId, publish, reasonCode);
    } else if (type === PacketType.pubrec) {
      this.#released.add(packetId);
      this.#link.writeAcknowledgement(PacketType.pubrel, packetId);
    }
  }

  /** The link is lost: what nobody waits for is not sent on another. */
  unlink(cause: Error): void {
    this.#linked = false;
    const error = this.#lost(cause);
    for (const packetId of [...this.#forgotten]) this.#end(packetId, error);
    this.#again = [];
    const writing = [...this.#writing];
    this.#writing.clear();
    for (const publish of writing) publish.answer(error);
  }

  /** A new link is up: what has no answer goes out again, as far as the broker takes it. */
  link(): void {
    this.#linked = true;
    this.#again = [...this.#unanswered.keys()];
    this.#sendAgain(this.#link.limits.receiveMaximum);
  }

  #sendAgain(count: number): void {
    let sent = 0;
    while (sent < count && this.#again.length > 0) {
      const packetId = this.#again.shift()!;
      const publish = this.#unanswered.get(packetId);
      if (publish === undefined) continue;
      if (this.#released.has(packetId)) {
        this.#link.writeAcknowledgement(PacketType.pubrel, packetId);
      } else {
        const passed = limitPassedBy(publish.message, this.#link.limits);
        if (passed !== null) {
          this.#end(packetId, new NotSupportedError(`Cannot send again: ${passed}`));
          continue;
        }
        this.#link.writePublish(this.#marked(publish.message), packetId, true);
      }
      sent++;
    }
  }

  /** Says to who receives it that it was sent before, where there is a place for that. */
  #marked(message: OutgoingMessage): OutgoingMessage {
    const { sendsJson, limits } = this.#link;
    const { protocolVersion: version } = limits;
    if (message.qos === 2) return message; // The broker knows its packet id.
    if (version === 4 && !sendsJson) return message; // The body is the caller's, byte for byte.
    const mark = markResent(message, version);
    const marked = mark === null ? message : { ...message, ...mark };
    return limitPassedBy(marked, limits) === null ? marked : message;
  }

  #answer(packetId: number, { message }: Publish, reasonCode: number): void {
    const unheard = message.mandatory && reasonCode === NO_MATCHING_SUBSCRIBERS;
    let error: ConnectionError | undefined;
    if (reasonCode >= REFUSED || unheard) {
      const why = unheard ? "nobody is subscribed" : refusal(reasonCode);
      const told = `Cannot send to "${message.topic}": ${why}`;
      error = new ConnectionError(told, this.#link.url, reasonCode);
    }
    this.#end(packetId, error);
    if (this.#again.length > 0) this.#sendAgain(1);
  }

  #lost(cause?: Error): ConnectionError {
    const { url } = this.#link;
    return new ConnectionError(`Cannot send: the link to ${url} was lost`, url, null, { cause });
  }

  #end(packetId: number, error?: Error): void {
    const publish = this.#unanswered.get(packetId)!;
    this.#unanswered.delete(packetId);
    this.#released.delete(packetId);
    this.#forgotten.delete(packetId);
    publish.answer(error);
  }
}

function refusal(reasonCode: number): string {
  const reason = ReasonCodes[reasonCode as keyof typeof ReasonCodes] ?? "no known reason";
  return `the broker refused it: ${reason} (${reasonCode})`;
}
