import type { BrokerLimits, OutgoingMessage, QoS } from "./connection.ts";
import type { IConnackPacket } from "./deps.ts";
import { publishSize } from "./publish_packet.ts";

/** What a CONNACK says of the broker; what it leaves out is at its most ([MQTT-3.2.2.3]). */
export function readLimits(connack: IConnackPacket, protocolVersion: 4 | 5): BrokerLimits {
  const told = connack.properties ?? {};
  return {
    protocolVersion,
    maximumQoS: (told.maximumQoS ?? 2) as QoS,
    retainAvailable: told.retainAvailable ?? true,
    wildcards: told.wildcardSubscriptionAvailable ?? true,
    sharedSubscriptions: protocolVersion === 5 ? told.sharedSubscriptionAvailable ?? true : null,
    receiveMaximum: told.receiveMaximum ?? 65_535,
    maximumPacketSize: told.maximumPacketSize ?? null,
  };
}

/** What the broker said it does not take of a message, in words, or `null`. */
export function limitPassedBy(message: OutgoingMessage, limits: BrokerLimits): string | null {
  if (message.qos > limits.maximumQoS) {
    return `the broker takes QoS ${limits.maximumQoS} at most, received QoS ${message.qos}`;
  }
  if (message.retain && !limits.retainAvailable) return "the broker retains no messages";
  if (limits.maximumPacketSize === null) return null;
  const size = publishSize(message, limits.protocolVersion);
  if (size <= limits.maximumPacketSize) return null;
  return `the broker takes packets of ${limits.maximumPacketSize} bytes at most, received ${size}`;
}
