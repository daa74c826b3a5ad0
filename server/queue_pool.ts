import { MqttMessageQueue, type QueueOptions } from "../mod.ts";
import { QueueKeeper } from "./queue_keeper.ts";

const IDLE_MS = 300_000;
const MAX_QUEUES = 16;

/** Thrown where one queue more would be one too many. */
export class PoolFullError extends Error {
  override readonly name = "PoolFullError";
}

/** A queue that is kept open for as long as it is held. */
export interface Held {
  keeper: QueueKeeper;
  /** Lets go of it; it is closed where nobody else uses it. Twice is harmless. */
  release: () => Promise<void>;
}

interface Lent {
  keeper: QueueKeeper;
  users: number;
  /** Whether anybody came through `use`, and may come back. */
  visited: boolean;
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
    const lent = this.#lend(topic);
    lent.visited = true;
    try {
      await lent.keeper.openOnce();
      return await work(lent.keeper);
    } catch (error) {
      // Never opened: the next try is a new one.
      if (!lent.keeper.queue.isOpen()) lent.visited = false;
      throw error;
    } finally {
      await this.#return(topic, lent);
    }
  }

  /**
   * Keeps the queue on the topic open until it is released; it is opened as often as it takes.
   *
   * @throws {PoolFullError} where 16 others are open
   * @throws {TypeError} where the topic is none
   */
  hold(topic: string): Held {
    const lent = this.#lend(topic);
    void lent.keeper.start();
    let released: Promise<void> | null = null;
    return { keeper: lent.keeper, release: () => released ??= this.#return(topic, lent) };
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
    const lent = this.#lent.get(topic) ?? this.#make(topic);
    clearTimeout(lent.idle);
    lent.users++;
    return lent;
  }

  #make(topic: string): Lent {
    if (this.#lent.size >= MAX_QUEUES) {
      throw new PoolFullError(
        `Cannot open a queue on "${topic}": ${MAX_QUEUES} other topics are in use, try later`,
      );
    }
    assertTopic(topic);
    const keeper = new QueueKeeper(new MqttMessageQueue(topic, { ...this.#options, topic }));
    const lent: Lent = { keeper, users: 0, visited: false, idle: undefined };
    this.#lent.set(topic, lent);
    return lent;
  }

  async #return(topic: string, lent: Lent): Promise<void> {
    if (--lent.users > 0 || this.#lent.get(topic) !== lent) return;
    if (!lent.visited) return await this.#release(topic);
    lent.idle = setTimeout(() => this.#release(topic), this.#idleMs);
  }

  async #release(topic: string): Promise<void> {
    const lent = this.#lent.get(topic);
    if (lent === undefined) return;
    this.#lent.delete(topic);
    clearTimeout(lent.idle);
    await lent.keeper.close();
  }
}

/** Whoever holds a queue would otherwise learn only from its endless tries that its topic is none. */
function assertTopic(topic: string): void {
  const levels = topic.split("/");
  const wrong = topic === "" || topic.includes("\0") ||
    new TextEncoder().encode(topic).length > 65_535 ||
    levels.some((level, at) =>
      (level.includes("+") && level !== "+") ||
      (level.includes("#") && (level !== "#" || at < levels.length - 1))
    );
  if (!wrong) return;
  throw new TypeError(
    `Cannot open a queue: a topic or a filter such as a/+/c or a/# is needed, received "${
      topic.slice(0, 200)
    }"`,
  );
}
