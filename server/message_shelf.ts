import type { MessageEnvelope } from "../mod.ts";

const MAX_MESSAGES = 100;
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * The messages that were taken off the queue last, so that a person can still look at what the
 * terminal received: 100 of them and 16 MiB at most, one larger than that not at all.
 */
export class MessageShelf {
  readonly #envelopes = new Map<string, MessageEnvelope>();
  #bytes = 0;

  /** Keeps a message, and lets go of the oldest where there is no room. */
  put(envelope: MessageEnvelope): void {
    this.#remove(envelope.messageId);
    const size = sizeOf(envelope);
    if (size > MAX_BYTES) return;
    this.#envelopes.set(envelope.messageId, envelope);
    this.#bytes += size;
    for (const id of this.#envelopes.keys()) {
      if (this.#bytes <= MAX_BYTES && this.#envelopes.size <= MAX_MESSAGES) return;
      this.#remove(id);
    }
  }

  /** The message with this id, or `null`. */
  get(messageId: string): MessageEnvelope | null {
    return this.#envelopes.get(messageId) ?? null;
  }

  /** The ids of what is kept, oldest first. */
  get ids(): string[] {
    return [...this.#envelopes.keys()];
  }

  #remove(id: string): void {
    const envelope = this.#envelopes.get(id);
    if (envelope === undefined) return;
    this.#envelopes.delete(id);
    this.#bytes -= sizeOf(envelope);
  }
}

function sizeOf({ message, messageId }: MessageEnvelope): number {
  return (message?.byteLength ?? 0) + messageId.length;
}
