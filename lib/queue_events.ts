import type { LinkState, SessionLoss } from "./connection.ts";
import type { MessageEnvelope } from "./message_envelope.ts";

/** The events of a queue and what each tells, as the `detail` of a `CustomEvent`. Envelopes are copies. */
export interface QueueEvents {
  /** The link changed; `retryInMs` until the next attempt. */
  statechange: { state: LinkState; previous: LinkState; cause?: Error; retryInMs?: number };
  /** A message arrived. */
  arrive: { envelope: MessageEnvelope };
  /** A message was removed, or went back to its place (`abandoned`). */
  settle: {
    envelope: MessageEnvelope;
    outcome: "received" | "completed" | "abandoned" | "dead-lettered" | "cleared";
  };
  /** A message was dropped: too much is held (QoS 0), or its time ran out. */
  drop: { envelope: MessageEnvelope; reason: "overflow" | "expired" };
  /** A message became a dead letter. */
  deadletter: { envelope: MessageEnvelope; reason: string; description: string };
  /** The broker forgot the session, or another client took it; `held` messages can no longer be acknowledged. */
  sessionlost: { reason: SessionLoss; held: number };
  /** Something failed that no caller waits for. */
  error: { error: Error };
}

/** An `EventTarget` that knows the queue's events, and makes none that nobody listens to. */
export class QueueEventTarget extends EventTarget {
  readonly #heard = new Set<string>();

  /** Listens to an event of the queue. */
  override addEventListener<Type extends keyof QueueEvents>(
    type: Type,
    listener: (event: CustomEvent<QueueEvents[Type]>) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  /** Listens to any event. */
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    // deno-lint-ignore no-explicit-any -- the union of both overloads' listeners
    listener: any,
    options?: boolean | AddEventListenerOptions,
  ): void {
    this.#heard.add(type);
    super.addEventListener(type, listener, options);
  }

  /** Dispatches an event if anybody ever listened to its kind. */
  protected emit<Type extends keyof QueueEvents>(
    type: Type,
    detail: () => QueueEvents[Type],
  ): void {
    if (this.#heard.has(type)) this.dispatchEvent(new CustomEvent(type, { detail: detail() }));
  }
}
