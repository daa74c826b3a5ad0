import type { BrokerLimits, QoS } from "./connection.ts";

/** What this queue can do on this broker and version of the protocol. */
export interface QueueCapabilities {
  /** `null` while the queue is closed; what the broker decides is at its least then. */
  protocolVersion: 4 | 5 | null;
  /** The highest quality of service that it takes. */
  maximumQoS: QoS;
  /** Whether it keeps retained messages. */
  retain: boolean;
  /** Whether it takes wildcards in a subscription. */
  wildcards: boolean;
  /** Whether a group can share a topic; `null` on 3.1.1 without a group: a broker does not tell there. */
  sharedSubscriptions: boolean | null;
  /** Whether properties travel beside a bare body. */
  userProperties: boolean;
  /** Whether an unread message can expire. */
  messageExpiry: boolean;
  /** Messages held unacknowledged at most; `null` where the broker decides by itself (3.1.1). */
  receiveMaximum: number | null;
  /** In bytes; `null` without a limit. */
  maximumPacketSize: number | null;
  /** `readMessageCount` works. */
  messageCount: boolean;
  /** `send` works. */
  send: boolean;
  /** `receive` works. */
  receive: boolean;
  /** `peek` works. */
  peek: boolean;
  /** `peekBatch` works. */
  peekBatch: boolean;
  /** `renewLock` works. */
  renewLock: boolean;
  /** `abandon` works. */
  abandon: boolean;
  /** `moveToDeadLetter` works; it needs retained messages. */
  deadLetter: boolean;
  /** `clear` works. */
  clear: boolean;
}

/** The capabilities that follow from what the broker said. */
export function capabilitiesOf(limits: BrokerLimits | null, prefetch: number): QueueCapabilities {
  const version = limits?.protocolVersion ?? null;
  const retain = limits?.retainAvailable ?? false;
  return {
    protocolVersion: version,
    maximumQoS: limits?.maximumQoS ?? 0,
    retain,
    wildcards: limits?.wildcards ?? false,
    sharedSubscriptions: limits === null ? false : limits.sharedSubscriptions,
    userProperties: version === 5,
    messageExpiry: version === 5,
    receiveMaximum: version === 5 ? prefetch : null,
    maximumPacketSize: limits?.maximumPacketSize ?? null,
    messageCount: true,
    send: true,
    receive: true,
    peek: true,
    peekBatch: true,
    renewLock: true,
    abandon: true,
    deadLetter: retain,
    clear: true,
  };
}
