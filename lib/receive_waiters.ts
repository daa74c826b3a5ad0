import { LinkedList, type ListNode } from "./linked_list.ts";
import type { MessageEnvelope } from "./message_envelope.ts";
import type { ReceiveMode } from "./queue_options.ts";

/** How to wait for a message. */
export interface WaitTerms {
  mode: ReceiveMode;
  /** Milliseconds; `Infinity` without end. */
  waitTimeout: number;
  signal: AbortSignal | undefined;
}

interface Waiter {
  readonly mode: ReceiveMode;
  resolve(envelope: MessageEnvelope | null): void;
  reject(error: unknown): void;
}

/** Who waits for a message, in turn. Each wait ends once: with a message, its time, its signal, or all. */
export class ReceiveWaiters {
  readonly #line = new LinkedList<Waiter>();

  /** A message, or `null` when the time is over. */
  wait({ mode, waitTimeout, signal }: WaitTerms): Promise<MessageEnvelope | null> {
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
        this.#line.remove(place);
      };
      const waiter: Waiter = {
        mode,
        resolve: (envelope) => (end(), resolve(envelope)),
        reject: (error) => (end(), reject(error)),
      };
      const abort = () => waiter.reject(signal!.reason);
      const timer = waitTimeout === Infinity
        ? undefined
        : setTimeout(() => waiter.resolve(null), waitTimeout);
      const place: ListNode<Waiter> = this.#line.push(waiter);
      signal?.addEventListener("abort", abort, { once: true });
    });
  }

  /** Serves who waits longest, as long as `take` has a message. */
  serve(take: (mode: ReceiveMode) => MessageEnvelope | null): void {
    for (let first = this.#line.first; first !== null; first = this.#line.first) {
      const envelope = take(first.value.mode);
      if (envelope === null) return;
      first.value.resolve(envelope);
    }
  }

  /** Ends every wait with an error. */
  rejectAll(error: Error): void {
    for (const waiter of [...this.#line]) waiter.reject(error);
  }
}
