import { MqttMessageQueue, type QueueOptions } from "../mod.ts";
import { QueueKeeper } from "./queue_keeper.ts";

const IDLE_MS = 300_000;
const MAX_QUEUES = 16;

/** Thrown where one queue more would be one too many. */
export class PoolFullError extends Error {
  override readonly name = "PoolFullError";
}

interface Lent {
  keeper: QueueKeeper;
  opened: Promise<void>;
  users: number;
  idle: ReturnType<typeof setTimeout> | undefined;
}

/**
 * Queues on other topics than the server's own, opened when they are first asked for and closed
 * after five minutes without use. Their sessions are private: what nobody has received when one is
 * closed is gone.
 */
export class QueuePool implements AsyncDisposable {
  readonly #options: QueueOptions;
  readonly #idleMs: number;
  readonly #lent = new Map<string, Lent>();

  /** @param options of every queue, `topic` aside */
  constructor(options: QueueOptions, { idleMs = IDLE_MS }: { idleMs?: number } = {}) {
    this.#options = options;
    this.#idleMs = idleMs;
  }

  /**
   * Runs the work with the queue on the topic.
   *
   * @throws {PoolFullError} where 16 others are open
   * @throws {ConnectionError} where the broker does not answer
   * @throws {TypeError} where the topic is none
   */
  async use<T>(topic: string, work: (keeper: QueueKeeper) => Promise<T>): Promise<T> {
    const lent = this.#lent.get(topic) ?? this.#lend(topic);
    clearTimeout(lent.idle);
    lent.users++;
    try {
      await lent.opened;
      return await work(lent.keeper);
    } finally {
      lent.users--;
      if (lent.users === 0 && this.#lent.get(topic) === lent) {
        lent.idle = setTimeout(() => this.#release(topic), this.#idleMs);
      }
    }
  }

  /** The queues that are open now. */
  get keepers(): QueueKeeper[] {
    return [...this.#lent.values()].map(({ keeper }) => keeper);
  }

  /** Closes all of them. */
  async close(): Promise<void> {
    await Promise.all([...this.#lent.keys()].map((topic) => this.#release(topic)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #lend(topic: string): Lent {
    if (this.#lent.size >= MAX_QUEUES) {
      throw new PoolFullError(
        `Cannot open a queue on "${topic}": ${MAX_QUEUES} other topics are in use, try later`,
      );
    }
    const keeper = new QueueKeeper(new MqttMessageQueue(topic, { ...this.#options, topic }));
    const lent: Lent = { keeper, opened: keeper.openOnce(), users: 0, idle: undefined };
    this.#lent.set(topic, lent);
    lent.opened.catch(() => {
      if (this.#lent.get(topic) === lent) this.#lent.delete(topic); // Its users are told; the next try is a new one.
    });
    return lent;
  }

  async #release(topic: string): Promise<void> {
    const lent = this.#lent.get(topic);
    if (lent === undefined) return;
    this.#lent.delete(topic);
    clearTimeout(lent.idle);
    await lent.keeper.close();
  }
}
