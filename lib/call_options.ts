import type { QoS } from "./connection.ts";
import { MessageEnvelope } from "./message_envelope.ts";
import type { ReceiveMode } from "./queue_options.ts";

/** The longest wait that a timer takes, in milliseconds: 24.8 days. More means no end. */
const MAX_WAIT_MS = 2_147_483_647;

/** What every wait takes. */
export interface WaitOptions {
  /** Ends the wait; it rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** How a message is sent. What is not given is as the queue is configured. */
export interface SendOptions extends WaitOptions {
  /** Another quality of service than the queue's. */
  qos?: QoS;
  /** Whether the broker keeps it as the topic's last message. */
  retain?: boolean;
  /** Another topic than the queue's. */
  topic?: string;
  /** Seconds until the broker drops it unread (MQTT 5). */
  expiry?: number;
}

/** How a message is received. */
export interface ReceiveOptions extends WaitOptions {
  /** Another mode than the queue's. */
  mode?: ReceiveMode;
}

/** How many receivers `listen` runs at once. */
export interface ListenOptions extends WaitOptions {
  /** Messages that are worked on at the same time. @default {1} */
  concurrency?: number;
}

/** Why a message becomes a dead letter. */
export interface DeadLetterOptions extends WaitOptions {
  /** A short word for the cause. @default {"rejected"} */
  reason?: string;
  /** What happened, in a sentence. @default {""} */
  description?: string;
}

/** Refuses what `send` cannot take. */
export function assertEnvelope(envelope: MessageEnvelope): void {
  if (!(envelope instanceof MessageEnvelope)) {
    throw new TypeError(
      `Cannot send: a MessageEnvelope is needed, received ${
        envelope === null ? "null" : typeof envelope
      }`,
    );
  }
}

/** Refuses what `send` cannot take. */
export function assertSendOptions({ qos, retain }: SendOptions, expiry: number | null): void {
  if (retain !== undefined && typeof retain !== "boolean") {
    throw new TypeError(`Cannot send: retain is true or false, received ${typeof retain}`);
  }
  if (qos !== undefined && qos !== 0 && qos !== 1 && qos !== 2) {
    throw new RangeError(`Cannot send: QoS is 0, 1 or 2, received ${qos}`);
  }
  if (expiry !== null && !(Number.isInteger(expiry) && expiry >= 1 && expiry <= 4_294_967_295)) {
    throw new RangeError(
      `Cannot send: expiry is a whole number of seconds from 1 to 4294967295, received ${expiry}`,
    );
  }
}

/** The wait as a timer takes it; more than it takes means no end. */
export function checkedWait(waitTimeout: number): number {
  if (typeof waitTimeout !== "number" || Number.isNaN(waitTimeout) || waitTimeout < 0) {
    throw new RangeError(
      `Cannot receive: milliseconds from 0 are needed to wait, received ${waitTimeout}`,
    );
  }
  return waitTimeout > MAX_WAIT_MS ? Infinity : waitTimeout;
}

/** Refuses what is no number of messages. */
export function assertCount(action: string, count: number): void {
  if (!Number.isInteger(count) || count < 1) {
    throw new RangeError(`Cannot ${action}: a positive whole number is needed, received ${count}`);
  }
}

/** Refuses what is no way to receive. */
export function assertMode(mode: ReceiveMode | undefined): void {
  if (mode !== undefined && mode !== "receiveAndDelete" && mode !== "peekLock") {
    throw new TypeError(
      `Cannot receive: the mode is "receiveAndDelete" or "peekLock", received ${String(mode)}`,
    );
  }
}

/** Refuses what is no number of milliseconds that a timer takes. */
export function assertDuration(action: string, ms: number, least: number): void {
  if (typeof ms !== "number" || !(ms >= least && ms <= MAX_WAIT_MS)) {
    throw new RangeError(
      `Cannot ${action}: milliseconds from ${least} to ${MAX_WAIT_MS} are needed, received ${ms}`,
    );
  }
}
