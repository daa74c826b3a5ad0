import type { mqttPacket } from "../deps.ts";

type Packet = mqttPacket.Packet;

/** What a broker says about itself in a CONNACK. */
export type ConnackProperties = NonNullable<mqttPacket.IConnackPacket["properties"]>;

/** How a broker that takes everything answers; what it is sent it gives to nobody. */
export function obedientReply(packet: Packet, properties: ConnackProperties = {}): Packet[] {
  switch (packet.cmd) {
    case "connect":
      return [{ cmd: "connack", returnCode: 0, reasonCode: 0, sessionPresent: false, properties }];
    case "subscribe": {
      const granted = packet.subscriptions.map(({ qos }) =>
        Math.min(qos, properties.maximumQoS ?? 2)
      );
      return [{ cmd: "suback", messageId: packet.messageId, granted, reasonCode: 0 }];
    }
    case "unsubscribe":
      return [{ cmd: "unsuback", messageId: packet.messageId, granted: [0], reasonCode: 0 }];
    case "publish":
      if (packet.qos === 0) return [];
      return [{
        cmd: packet.qos === 1 ? "puback" : "pubrec",
        messageId: packet.messageId,
        reasonCode: 0,
      }];
    case "pubrel":
      return [{ cmd: "pubcomp", messageId: packet.messageId, reasonCode: 0 }];
    case "pingreq":
      return [{ cmd: "pingresp" }];
    default:
      return [];
  }
}
