/**
 * A message queue over any MQTT broker, for Deno.
 *
 * Messages are held by the broker until they are settled, so they survive a crash; they can be
 * peeked, locked, abandoned and counted; every wait ends; what the broker cannot do is refused by
 * name.
 *
 * @example
 * ```ts no-assert
 * import { MessageEnvelope, MqttMessageQueue } from "./mod.ts";
 * await using queue = new MqttMessageQueue("mytopic", { autoSubscribe: true });
 * await queue.open();
 * await queue.send(null, new MessageEnvelope("123", "mymessage", "ABC123"));
 * console.log((await queue.receive(null, 10_000))?.getMessageAsString()); // ABC123
 * ```
 *
 * @module
 */

export { MqttMessageQueue } from "./lib/mqtt_message_queue.ts";
export type { MessageReceiverLike, QueueStats } from "./lib/mqtt_message_queue.ts";
export type {
  DeadLetterOptions,
  ListenOptions,
  ReceiveOptions,
  SendOptions,
  WaitOptions,
} from "./lib/call_options.ts";
export type { QueueCapabilities } from "./lib/queue_capabilities.ts";
export type { DeadLetter, DeadLetterStore } from "./lib/dead_letters.ts";
export { MessageEnvelope, type MessageEnvelopeJson } from "./lib/message_envelope.ts";
export { ConfigParams } from "./lib/config_params.ts";
export type { Credential, QueueOptions, ReceiveMode, TlsOptions } from "./lib/queue_options.ts";
export { type QueueEvents, QueueEventTarget } from "./lib/queue_events.ts";
export type { LinkState, QoS, SessionLoss } from "./lib/connection.ts";
export type { QueueCounters } from "./lib/telemetry.ts";
export {
  BatchSendError,
  ConfigError,
  ConnectionError,
  LockLostError,
  NotSupportedError,
  QueueClosedError,
  type QueueErrorOptions,
  QueueFullError,
  type SendFailure,
  TimeoutError,
} from "./lib/errors.ts";
