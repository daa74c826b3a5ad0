import type { BrokerLimits, OutgoingMessage, Publish } from "../../lib/connection.ts";
import { ConnectionError, NotSupportedError } from "../../lib/errors.ts";
import { OutgoingPublishes } from "../../lib/outgoing_publishes.ts";
import type { AcknowledgementType } from "../../lib/publish_packet.ts";
import { FakePublishLink } from "./fake_publish_link.ts";
import { outgoing } from "./packets.ts";

/** Publishes on a link that is up, and their answers. */
export class OutgoingSetting {
  readonly link = new FakePublishLink();
  readonly publishes = new OutgoingPublishes(this.link);
  /** Each message that was answered, in that order: its body, and why it failed. */
  readonly answers: { body: string; error?: Error }[] = [];

  constructor(limits: Partial<BrokerLimits> = {}) {
    Object.assign(this.link.limits, limits);
    this.publishes.link();
  }

  /** Sends messages with these bodies. */
  publish(bodies: string[], given: Partial<OutgoingMessage> = {}): Publish[] {
    return bodies.map((body) => {
      const publish: Publish = {
        message: outgoing(body, given),
        packetId: 0,
        answer: (error) => this.answers.push({ body, ...error && { error } }),
      };
      this.publishes.publish(publish);
      return publish;
    });
  }

  /** The broker says something of a message. */
  acknowledge(type: AcknowledgementType, packetId: number, reasonCode = 0): void {
    this.publishes.acknowledge({ type, packetId, reasonCode });
  }

  /** The link is lost, and another comes up to a broker that has changed so much. */
  relink(limits: Partial<BrokerLimits> = {}): void {
    this.publishes.unlink(new Error("cut"));
    this.link.take();
    Object.assign(this.link.limits, limits);
    this.publishes.link();
  }

  /** The bodies that were answered without an error. */
  get sent(): string[] {
    return this.answers.filter(({ error }) => error === undefined).map(({ body }) => body);
  }

  /** The bodies that were answered with this kind of error. */
  failed(kind: typeof ConnectionError | typeof NotSupportedError): string[] {
    return this.answers.filter(({ error }) => error instanceof kind).map(({ body }) => body);
  }
}
