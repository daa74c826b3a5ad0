import type { BrokerLimits, QoS } from "./connection.ts";
import type { IConnackPacket } from "./deps.ts";

/** What a CONNACK says of the broker; what it leaves out is at its most ([MQTT-3.2.2.3]). */
export function readLimits(connack: IConnackPacket, protocolVersion: 4 | 5): BrokerLimits {
  const told = connack.properties ?? {};
  return {
    protocolVersion,
    maximumQoS: (told.maximumQoS ?? 2) as QoS,
    retainAvailable: told.retainAvailable ?? true,
    wildcards: told.wildcardSubscriptionAvailable ?? true,
    sharedSubscriptions: protocolVersion === 5 && (told.sharedSubscriptionAvailable ?? true),
    receiveMaximum: told.receiveMaximum ?? 65_535,
    maximumPacketSize: told.maximumPacketSize ?? null,
  };
}
