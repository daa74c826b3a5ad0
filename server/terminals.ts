import type { LiveFeedOptions } from "./live_feed.ts";
import type { QueueKeeper } from "./queue_keeper.ts";
import type { QueueFacts } from "./queue_monitor.ts";
import type { Held, QueuePool } from "./queue_pool.ts";
import { SavedMessages } from "./saved_messages.ts";
import type { QueueLink } from "./status_views.ts";
import { type SharedParts, Terminal } from "./terminal.ts";

/** A page that was loaded or stopped to listen may be hidden, asleep, or without JavaScript. */
const AWAY_MS = 300_000;
/** A page that said goodbye may be loading anew. */
const RELOAD_MS = 3000;
const MAX_STREAMS = 128;
const MAX_PAGES = 256;

/** How long pages are waited for. */
export interface TerminalsOptions extends LiveFeedOptions {
  awayMs?: number;
  reloadMs?: number;
}

interface Place {
  terminal: Terminal;
  held: Held;
  /** Until when each page counts as there, in ms since 1970; `Infinity` while it listens. */
  pages: Map<string, number>;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/**
 * The terminals of the server: the one of its own queue, which stays, and one for each other topic
 * that a page shows. The last page to go takes that one's queue with it.
 */
export class Terminals implements AsyncDisposable {
  readonly main: Terminal;
  readonly #pool: QueuePool;
  readonly #facts: QueueFacts;
  readonly #shared: SharedParts;
  readonly #awayMs: number;
  readonly #reloadMs: number;
  readonly #limits: LiveFeedOptions;
  readonly #places = new Map<string, Place>();
  #closed = false;

  constructor(
    keeper: QueueKeeper,
    pool: QueuePool,
    facts: QueueFacts,
    { awayMs = AWAY_MS, reloadMs = RELOAD_MS, ...limits }: TerminalsOptions = {},
  ) {
    this.#pool = pool;
    this.#facts = facts;
    this.#awayMs = awayMs;
    this.#reloadMs = reloadMs;
    this.#limits = limits;
    this.#shared = { saved: new SavedMessages(), queues: () => this.#links() };
    this.main = new Terminal(keeper, facts, this.#shared, limits);
  }

  /** The terminal on the topic, where it is open. */
  find(topic: string): Terminal | null {
    return topic === this.main.topic ? this.main : this.#places.get(topic)?.terminal ?? null;
  }

  /**
   * The terminal on the topic, opened where it is not, for a page that is being loaded.
   *
   * @throws {PoolFullError} where too many are open
   * @throws {TypeError} where the topic is none
   */
  visit(topic: string, page: string): Terminal {
    if (topic === this.main.topic) return this.main;
    const place = this.#open(topic);
    this.#stay(topic, place, page, Date.now() + this.#awayMs);
    return place.terminal;
  }

  /** What a page listens to; `null` where as many listen as may, or the queue cannot be opened. */
  stream(topic: string, page: string, position: string | null): ReadableStream<Uint8Array> | null {
    if (this.streams >= MAX_STREAMS || this.#closed) return null;
    if (topic === this.main.topic) return this.main.live.stream(position);
    const place = this.#open(topic);
    const stream = place.terminal.live.stream(position, () => {
      if (this.#places.get(topic) !== place || !place.pages.has(page)) return;
      // One that said goodbye first is not waited for.
      if (place.pages.get(page) !== Infinity) return;
      this.#stay(topic, place, page, Date.now() + this.#awayMs);
    });
    if (stream !== null) this.#stay(topic, place, page, Infinity);
    return stream;
  }

  /** The messages that are saved, the same in every terminal. */
  get saved(): SavedMessages {
    return this.#shared.saved;
  }

  /** A page says that it is being closed. */
  leave(topic: string, page: string): void {
    const place = this.#places.get(topic);
    if (place?.pages.has(page)) this.#stay(topic, place, page, Date.now() + this.#reloadMs);
  }

  /** Pages that listen now. */
  get streams(): number {
    return this.#all.reduce((sum, { live }) => sum + live.streams, 0);
  }

  /** Ends every feed and lets go of every queue but the server's own. */
  async close(): Promise<void> {
    this.#closed = true;
    this.main.close();
    await Promise.all([...this.#places].map(([topic, place]) => this.#release(topic, place)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #open(topic: string): Place {
    const known = this.#places.get(topic);
    if (known !== undefined) return known;
    const held = this.#pool.hold(topic);
    const facts = { ...this.#facts, topic };
    const terminal = new Terminal(held.keeper, facts, this.#shared, this.#limits);
    const place: Place = { terminal, held, pages: new Map(), timer: undefined };
    this.#places.set(topic, place);
    for (const each of this.#all) each.live.touch();
    return place;
  }

  #stay(topic: string, place: Place, page: string, until: number): void {
    place.pages.delete(page);
    place.pages.set(page, until);
    if (place.pages.size > MAX_PAGES) {
      const idle = [...place.pages].find(([, until]) => until !== Infinity);
      if (idle !== undefined) place.pages.delete(idle[0]);
    }
    this.#watch(topic, place);
  }

  /** Releases the queue when its last page has gone. */
  #watch(topic: string, place: Place): void {
    clearTimeout(place.timer);
    const last = Math.max(...place.pages.values());
    if (last === Infinity) return;
    place.timer = setTimeout(
      () => void this.#release(topic, place),
      Math.max(0, last - Date.now()),
    );
  }

  async #release(topic: string, place: Place): Promise<void> {
    clearTimeout(place.timer);
    if (this.#places.get(topic) !== place) return;
    this.#places.delete(topic);
    place.terminal.close();
    await place.held.release();
    for (const each of this.#all) each.live.touch();
  }

  get #all(): Terminal[] {
    return [this.main, ...[...this.#places.values()].map(({ terminal }) => terminal)];
  }

  #links(): QueueLink[] {
    return this.#all.map(({ topic, sources }) => ({
      topic,
      href: topic === this.main.topic ? "/" : `/?topic=${encodeURIComponent(topic)}`,
      ready: sources.keeper.queue.stats().available,
    }));
  }
}
