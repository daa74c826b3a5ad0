import { EventEmitter } from "node:events";
import type { IPublishPacket, MqttClient, Packet } from "../../lib/deps.ts";
import type { QoS } from "../../lib/connection.ts";
import { Buffer } from "node:buffer";

/**
 * The part of an MQTT.js client that holding acknowledgements hooks into. It handles packets as
 * MQTT.js does: one at a time, the next when the callback of the one before is called.
 */
export class FakeMqttClient extends EventEmitter {
  /** What was written, such as `puback 7`. */
  readonly written: string[] = [];
  /** How many packets the pipeline has finished. */
  handled = 0;
  pings = 0;
  reschedules = 0;
  cuts = 0;

  asClient(): MqttClient {
    return this as unknown as MqttClient;
  }

  /** A link comes up. */
  link(sessionPresent = false): void {
    this.#receive({ cmd: "connack", sessionPresent, returnCode: 0 });
  }

  /** The link is lost. */
  lose(): void {
    this.emit("close");
  }

  /** The broker delivers a message, and the client acknowledges it by itself. */
  deliver(messageId: number, given: { qos?: QoS; dup?: boolean; body?: string } = {}): void {
    const { qos = 1, dup = false, body = `${messageId}` } = given;
    const packet: IPublishPacket = {
      cmd: "publish",
      topic: "t",
      payload: Buffer.from(body),
      qos,
      dup,
      retain: false,
      ...qos === 0 ? {} : { messageId },
    };
    this.#receive(packet);
    const done = () => void this.handled++;
    if (qos === 0) this.handleMessage(packet, done);
    if (qos === 1) {
      this.handleMessage(packet, () => this._sendPacket({ cmd: "puback", messageId }, done));
    }
    if (qos === 2) this._sendPacket({ cmd: "pubrec", messageId }, done);
  }

  /** The broker releases a message of QoS 2. */
  release(messageId: number): void {
    this.#receive({ cmd: "pubrel", messageId });
    this._sendPacket({ cmd: "pubcomp", messageId }, () => {});
  }

  _sendPacket(packet: Packet, done?: () => void): void {
    this.written.push(`${packet.cmd} ${packet.messageId ?? ""}`.trim());
    done?.();
  }

  handleMessage(_packet: IPublishPacket, done: () => void): void {
    done();
  }

  onKeepaliveTimeout(): void {
    this.cuts++;
  }

  reschedulePing(): void {
    this.reschedules++;
  }

  sendPing(): void {
    this.pings++;
  }

  #receive(packet: Packet): void {
    this.emit("packetreceive", packet);
  }
}
