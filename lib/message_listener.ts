import { AsyncLocalStorage } from "node:async_hooks";
import { toError } from "./errors.ts";
import type { MessageEnvelope } from "./message_envelope.ts";

/** Which listener's handler is at work: it must not wait for its own end, nor for one that waits for it. */
const calledBy = new AsyncLocalStorage<MessageListener>();

/** The listener by whose handler this is called, where it is. */
export function callingListener(): MessageListener | undefined {
  return calledBy.getStore();
}

/** How a listener takes and settles messages. */
export interface MessageSource {
  /** Milliseconds that a lock lasts. */
  readonly lockTimeout: number;
  /** Waits without end for the next message, under a lock. */
  receive(signal: AbortSignal): Promise<MessageEnvelope | null>;
  complete(envelope: MessageEnvelope): void;
  abandon(envelope: MessageEnvelope): void;
  renewLock(envelope: MessageEnvelope): void;
  /** A receiver threw, or a message could not be settled. */
  onError(error: Error): void;
}

/** What is called with each message. */
export type Handler = (envelope: MessageEnvelope) => unknown;

/**
 * The loop that takes messages under a lock, hands them over and settles them. It completes a
 * message when the handler resolves, abandons it when the handler throws, and renews the lock
 * while the handler works.
 */
export class MessageListener {
  readonly #source: MessageSource;
  readonly #stop = new AbortController();
  /** Aborted once it takes no more. */
  readonly ended: AbortSignal;
  #done: Promise<void> = Promise.resolve();

  /** @param signal stops it as `stop` does */
  constructor(source: MessageSource, signal?: AbortSignal) {
    this.#source = source;
    this.ended = signal === undefined
      ? this.#stop.signal
      : AbortSignal.any([signal, this.#stop.signal]);
  }

  /** Runs until it is stopped; resolves when the last handler is through. */
  run(handler: Handler, concurrency: number): Promise<void> {
    const workers = Array.from({ length: concurrency }, () => this.#work(handler));
    this.#done = Promise.all(workers).then(() => {});
    return this.#done;
  }

  /** Takes no more; resolves when what is running is through. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  /** The same loop for a caller that asks for each message. What is at hand when it leaves goes back. */
  async *messages(): AsyncGenerator<MessageEnvelope, void, void> {
    for (;;) {
      const envelope = await this.#next();
      if (envelope === null) return;
      const settle = this.#hold(envelope);
      let through = false;
      try {
        yield envelope;
        through = true;
      } finally {
        settle(through);
      }
    }
  }

  async #work(handler: Handler): Promise<void> {
    for (;;) {
      const envelope = await this.#next();
      if (envelope === null) return;
      const settle = this.#hold(envelope);
      try {
        await calledBy.run(this, () => handler(envelope));
        settle(true);
      } catch (error) {
        this.#source.onError(toError(error));
        settle(false);
      }
    }
  }

  async #next(): Promise<MessageEnvelope | null> {
    if (this.ended.aborted) return null;
    try {
      return await this.#source.receive(this.ended);
    } catch (error) {
      if (!this.ended.aborted) this.#source.onError(toError(error));
      return null;
    }
  }

  /** Renews the lock until the function that comes back is called, which settles the message. */
  #hold(envelope: MessageEnvelope): (through: boolean) => void {
    const renewal = setInterval(() => {
      if (envelope.getReference() === null) return; // The handler settled it.
      try {
        this.#source.renewLock(envelope);
      } catch {
        // The lock is lost; settling will say so.
      }
    }, this.#source.lockTimeout / 3);
    return (through) => {
      clearInterval(renewal);
      try {
        if (through) this.#source.complete(envelope);
        else this.#source.abandon(envelope);
      } catch (error) {
        this.#source.onError(toError(error));
      }
    };
  }
}
