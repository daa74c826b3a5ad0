import type { MessageEnvelope } from "./message_envelope.ts";
import { publicUrl } from "./public_url.ts";

/** What every error of the queue can carry beside its message. */
export interface QueueErrorOptions {
  /** The error that led to this one. */
  cause?: unknown;
}

/**
 * A configuration key that is unknown, ill-typed or out of range. Thrown before anything is opened.
 *
 * @example
 * ```ts
 * import { ConfigError, MqttMessageQueue } from "../mod.ts";
 * try {
 *   new MqttMessageQueue("orders").configure({ "options.qos": 7 });
 * } catch (error) {
 *   if (error instanceof ConfigError) console.log(error.key); // options.qos
 * }
 * ```
 */
export class ConfigError extends Error {
  /** The name of the class. */
  override readonly name: string = "ConfigError";
  /** The key as it was given, dotted. */
  readonly key: string;

  /** Names the key. @param key the offending key; `message` names it too */
  constructor(message: string, key: string, options?: QueueErrorOptions) {
    super(message, options);
    this.key = key;
  }
}

/** The broker cannot be reached, refused us, or ended the link. */
export class ConnectionError extends Error {
  /** The name of the class. */
  override readonly name: string = "ConnectionError";
  /** The reason code of the CONNACK, SUBACK, PUBACK or DISCONNECT, or `null` where none came ([MQTT-3.2.2.2]). */
  readonly reasonCode: number | null;
  /** The broker's address without user, password and query. */
  readonly url: string;

  /** Names the broker. @param url its address; what may be secret in it is shown nowhere, `message` included */
  constructor(
    message: string,
    url: string,
    reasonCode: number | null,
    options?: QueueErrorOptions,
  ) {
    const shown = publicUrl(url);
    super(message.replaceAll(url, shown), options);
    this.url = shown;
    this.reasonCode = reasonCode;
  }
}

/** The queue is not open, or was closed while the call waited. */
export class QueueClosedError extends Error {
  /** The name of the class. */
  override readonly name: string = "QueueClosedError";
}

/** As many messages wait to be sent as `maxPending` allows. The message was not taken. */
export class QueueFullError extends Error {
  /** The name of the class. */
  override readonly name: string = "QueueFullError";
  /** The limit that was reached. */
  readonly maxPending: number;

  /** Names the limit. @param maxPending the limit that was reached, in messages */
  constructor(message: string, maxPending: number, options?: QueueErrorOptions) {
    super(message, options);
    this.maxPending = maxPending;
  }
}

/** The message is no longer this caller's to settle: its lock ran out or another receiver holds it. */
export class LockLostError extends Error {
  /** The name of the class. */
  override readonly name: string = "LockLostError";
  /** The message that was to be settled. */
  readonly messageId: string;

  /** Names the message. @param messageId the message that was to be settled */
  constructor(message: string, messageId: string, options?: QueueErrorOptions) {
    super(message, options);
    this.messageId = messageId;
  }
}

/** This broker, or this version of the protocol, cannot do what was asked. */
export class NotSupportedError extends Error {
  /** The name of the class. */
  override readonly name: string = "NotSupportedError";
}

/** A deadline passed: `sendTimeout`, `connectTimeout`, or the answer to a subscription. */
export class TimeoutError extends Error {
  /** The name of the class. */
  override readonly name: string = "TimeoutError";
  /** The deadline in milliseconds. */
  readonly timeoutMs: number;

  /** Names the deadline. @param timeoutMs the deadline that passed, in milliseconds */
  constructor(message: string, timeoutMs: number, options?: QueueErrorOptions) {
    super(message, options);
    this.timeoutMs = timeoutMs;
  }
}

/** A message of a batch that was not sent. */
export interface SendFailure {
  /** Its place in the batch, from 0. */
  index: number;
  /** The message itself. */
  envelope: MessageEnvelope;
  /** Why. */
  error: Error;
}

/** Some messages of a batch were not sent; the others were. */
export class BatchSendError extends Error {
  /** The name of the class. */
  override readonly name: string = "BatchSendError";
  /** Each one that failed. */
  readonly failures: readonly SendFailure[];

  /**
   * Names what failed.
   *
   * @param failures each one that failed
   * @param total how many the batch had
   */
  constructor(failures: readonly SendFailure[], total: number) {
    const first = failures[0].error;
    super(`Cannot send ${failures.length} of ${total} messages: ${first.message}`, {
      cause: first,
    });
    this.failures = failures;
  }
}

/** Any thrown value as an `Error`. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
