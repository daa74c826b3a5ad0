/** Quality of service: 0 at most once, 1 at least once, 2 exactly once ([MQTT-4.3]). */
export type QoS = 0 | 1 | 2;

/**
 * The state of the link to the broker.
 *
 * - `closed`: the queue is not open.
 * - `connecting`: `open` is at work.
 * - `connected`: the broker answers.
 * - `reconnecting`: the link was lost and is tried again.
 * - `disconnected`: the link was lost and stays so: `retryConnect` is off, or another client took the session.
 */
export type LinkState = "closed" | "connecting" | "connected" | "reconnecting" | "disconnected";

/** What is told when the link changes. */
export interface LinkChange {
  /** The new state. */
  state: LinkState;
  /** The state before. */
  previous: LinkState;
  /** Why the link was lost or could not be made. */
  cause?: Error;
  /** Milliseconds until the next attempt, in `reconnecting`. */
  retryInMs?: number;
}

/** Why a session is gone: the broker has no memory of it, or another client connected with its id. */
export type SessionLoss = "forgotten" | "taken-over";

/** The metadata that MQTT 5 carries beside a payload. On 3.1.1 all of it stays empty. */
export interface WireProperties {
  contentType?: string;
  correlationData?: Uint8Array;
  /** Seconds that remain ([MQTT-3.3.2.3.3]). */
  messageExpiryInterval?: number;
  userProperties?: Record<string, string | string[]>;
}

/** A message that came from the broker and, at QoS 1 and 2, is held until `settle`. */
export interface Delivery {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly dup: boolean;
  /** `null` at QoS 0. */
  readonly packetId: number | null;
  readonly properties: WireProperties;
}

/** A message on its way to the broker. */
export interface OutgoingMessage {
  topic: string;
  payload: Uint8Array;
  qos: QoS;
  retain: boolean;
  properties: WireProperties;
  /** Whether it fails where the broker says that nobody is subscribed (MQTT 5, QoS 1). */
  mandatory?: boolean;
}

/** A message that is handed over, and who waits for its answer. */
export interface Publish {
  readonly message: OutgoingMessage;
  /** The connection's own: the packet id under which it is on its way, 0 before. */
  packetId: number;
  /** Called once: the broker has it (QoS 0: it is written), or will never. */
  answer(error?: Error): void;
}

/** What the broker told of itself when it accepted the link ([MQTT-3.2.2.3]). */
export interface BrokerLimits {
  protocolVersion: 4 | 5;
  maximumQoS: QoS;
  retainAvailable: boolean;
  wildcards: boolean;
  /** `null` where the broker does not tell (3.1.1) and it was not tried. */
  sharedSubscriptions: boolean | null;
  /** How many publishes may wait for their acknowledgement at once, ours to the broker. */
  receiveMaximum: number;
  /** Largest packet that the broker takes, in bytes; `null` without a limit. */
  maximumPacketSize: number | null;
}

/** What a connection reports to its owner. None of these may throw. */
export interface ConnectionHandlers {
  /** A message, shown once for as long as it is held. */
  onDelivery(delivery: Delivery): void;
  /** The link changed. */
  onChange(change: LinkChange): void;
  /** The session is gone; the `held` messages can no longer be acknowledged. */
  onSessionLost(reason: SessionLoss, held: number): void;
  /** `writable` has become true. */
  onWritable(): void;
  /** A held message came again after a reconnect and was recognised. */
  onRedelivered(): void;
  /** Something failed that no caller waits for. */
  onError(error: Error): void;
}

/** What a queue needs of the network: the port that `MqttConnection` fills. */
export interface Connection {
  readonly state: LinkState;
  /** `null` until the first `open`. */
  readonly limits: BrokerLimits | null;
  /** Connects once; rejects, and leaves nothing behind, where that fails. */
  open(signal?: AbortSignal): Promise<void>;
  /** Subscribes, now and after every lost session. Idempotent. */
  subscribe(signal?: AbortSignal): Promise<void>;
  /** Whether `publish` can be called. */
  readonly writable: boolean;
  /** Hands a message over. */
  publish(publish: Publish): void;
  /** It is not sent on another link, and is answered when this one has answered or is lost. */
  forget(publish: Publish): void;
  /** Looks at the retained messages under a filter, one by one, without taking them. */
  readRetained(filter: string, onMessage: (delivery: Delivery) => void): Promise<void>;
  /** Waits until what the broker had for us when it was called has been delivered; bounded. */
  synchronize(): Promise<void>;
  /** Lets go of a message: the broker may forget it. */
  settle(delivery: Delivery): void;
  /** Stops or goes on reading what arrives; the link stays up. */
  setPaused(paused: boolean): void;
  /** Ends the link and, where the session is private, the session. Idempotent. */
  close(): Promise<void>;
}
