import { setTimeout as sleep } from "node:timers/promises";
import type { LinkState, MessageEnvelope, MqttMessageQueue, QueueEvents } from "../mod.ts";
import { findHandle } from "./message_handle.ts";

const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 30_000;
/** A message that somebody names is mostly one of the first. */
const FIRST_LOOK = 100;

/** What is known of the way to the broker. */
export interface LinkStatus {
  /** `waiting`: never reached yet, and another try is due. */
  state: LinkState | "waiting";
  /** When the next try is due in ms since 1970, or `null`. */
  retryAt: number | null;
  /** Why the link is not up, or `null`. */
  trouble: string | null;
}

/**
 * Keeps one queue open for as long as the server runs, and knows which messages it holds locked.
 *
 * `open` of a queue fails at once when the broker is down; the keeper tries again after 1 s, doubling
 * to 30 s. A link that is lost later is the queue's own to bring back. Fires `change` whenever the
 * link's status did.
 */
export class QueueKeeper extends EventTarget implements AsyncDisposable {
  readonly queue: MqttMessageQueue;
  #waiting = false;
  #retryAt: number | null = null;
  #trouble: string | null = null;
  #opening: Promise<void> | null = null;
  readonly #stop = new AbortController();
  readonly #locked = new Map<string, MessageEnvelope>();

  constructor(queue: MqttMessageQueue) {
    super();
    this.queue = queue;
    queue.addEventListener("statechange", (event) => this.#follow(event.detail));
    queue.addEventListener("settle", (event) => {
      this.#locked.delete(event.detail.envelope.messageId);
    });
  }

  /** Opens the queue, as often as it takes. Resolves when it is open for the first time, or closed before. */
  start(): Promise<void> {
    return this.#opening ??= this.#openAtLast();
  }

  /** Opens the queue with one try. */
  async openOnce(): Promise<void> {
    await this.queue.open(null, { signal: this.#stop.signal });
  }

  /** Remembers a message that was received under a lock, so that it can be settled by its id. */
  keepLocked(envelope: MessageEnvelope): void {
    const now = Date.now();
    for (const [id, { lockedUntil }] of this.#locked) {
      if (lockedUntil === null || lockedUntil.getTime() > now) break; // The oldest stand first.
      this.#locked.delete(id);
    }
    this.#locked.delete(envelope.messageId);
    this.#locked.set(envelope.messageId, envelope);
  }

  /** The message with this id: the one under lock, else one that waits, else `null`. */
  async find(messageId: string): Promise<MessageEnvelope | null> {
    const locked = this.#locked.get(messageId);
    if (locked !== undefined) return locked;
    const waiting = await this.queue.peekBatch(null, Math.max(1, this.queue.stats().available));
    return waiting.find((envelope) => envelope.messageId === messageId) ?? null;
  }

  /**
   * The message that the word names, as in `findHandle`: under lock, else among those that wait.
   *
   * @throws {RangeError} where several may be meant
   */
  async lookUp(word: string): Promise<MessageEnvelope | null> {
    const locked = findHandle(word, [...this.#locked.keys()]);
    if (locked !== null) return this.#locked.get(locked) ?? null;
    const { available } = this.queue.stats();
    for (const max of available > FIRST_LOOK ? [FIRST_LOOK, available] : [FIRST_LOOK]) {
      const waiting = await this.queue.peekBatch(null, max);
      const found = findHandle(word, waiting.map(({ messageId }) => messageId));
      if (found !== null) return waiting.find(({ messageId }) => messageId === found) ?? null;
    }
    return null;
  }

  /** The messages that are held under a lock, the oldest lock first. */
  get locked(): MessageEnvelope[] {
    const now = Date.now();
    return [...this.#locked.values()].filter(({ lockedUntil }) => Number(lockedUntil) > now);
  }

  /** Ends the tries, releases what is locked and closes the queue. Twice is harmless. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#opening;
    await this.queue.close(null);
    this.#locked.clear();
  }

  /** What is known of the link. */
  get link(): LinkStatus {
    const state = this.#waiting && this.queue.state === "closed" ? "waiting" : this.queue.state;
    return { state, retryAt: this.#retryAt, trouble: this.#trouble };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #openAtLast(): Promise<void> {
    const { signal } = this.#stop;
    for (let delay = FIRST_RETRY_MS; !signal.aborted; delay = Math.min(2 * delay, LAST_RETRY_MS)) {
      try {
        await this.openOnce();
        // The queue tells that its link is up before it can be used; now it can.
        return this.#change({ waiting: false, retryAt: null, trouble: null });
      } catch (error) {
        if (signal.aborted) return;
        this.#change({ waiting: true, retryAt: Date.now() + delay, trouble: messageOf(error) });
      }
      try {
        await sleep(delay, undefined, { signal });
      } catch {
        return; // Closed while it waited.
      }
    }
  }

  #follow({ state, cause, retryInMs }: QueueEvents["statechange"]): void {
    if (state === "connected") {
      this.#change({ waiting: false, retryAt: null, trouble: null });
    } else if (state === "reconnecting" || state === "disconnected") {
      this.#change({
        waiting: false,
        retryAt: retryInMs === undefined ? null : Date.now() + retryInMs,
        trouble: cause === undefined ? this.#trouble : messageOf(cause),
      });
    } else {
      this.#change({ waiting: this.#waiting, retryAt: null, trouble: this.#trouble });
    }
  }

  #change(to: { waiting: boolean; retryAt: number | null; trouble: string | null }): void {
    this.#waiting = to.waiting;
    this.#retryAt = to.retryAt;
    this.#trouble = to.trouble;
    this.dispatchEvent(new Event("change"));
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
