import type { MessageEnvelope } from "../mod.ts";
import type { ApiDeadLetter, ApiMessage } from "./api_messages.ts";

/** A message under a lock. What is neither completed nor abandoned comes back by itself. */
export interface HeldMessage {
  readonly message: ApiMessage;
  complete(): Promise<void>;
  abandon(): Promise<void>;
  /** Lets the lock run anew. */
  renew(): Promise<void>;
}

/**
 * What the shell needs of a queue, on a broker or on a running server. The signal with which it was
 * opened ends every wait; settling a message and closing go on regardless.
 */
export interface CliQueue extends AsyncDisposable {
  readonly topic: string;
  /** How many sends may be under way at once and still arrive in their order. */
  readonly sendWindow: number;
  /** Resolves with the message id when the broker has the message. */
  send(envelope: MessageEnvelope): Promise<string>;
  /** The oldest message, or `null` once the wait is over; it may be `Infinity`. */
  receive(waitMs: number): Promise<HeldMessage | null>;
  peek(max: number): Promise<ApiMessage[]>;
  count(): Promise<number>;
  peekDeadLetters(max: number): Promise<ApiDeadLetter[]>;
  /** Redrives a dead letter, or all for `null`; resolves with how many. */
  redrive(id: string | null): Promise<number>;
  /** Purges a dead letter, or all for `null`; resolves with how many. */
  purge(id: string | null): Promise<number>;
}
