import type { Tone } from "./entry_views.ts";
import type { QueueKeeper } from "./queue_keeper.ts";
import { RateMeter } from "./rate_meter.ts";
import { type QueueStatus, statusSentence } from "./status_views.ts";

const TICK_MS = 1000;
const ANNOUNCE_TICKS = 5;
/** Other processes make dead letters too. */
const RECOUNT_TICKS = 30;
/** To count them is to read them: so many are not read over and over. */
const MANY_DEAD = 1000;

/** What the page says about a queue and does not change while it is open. */
export interface QueueFacts {
  /** Without user name and password. */
  brokerUrl: string;
  embedded: boolean;
  topic: string;
  qos: number;
}

/** Whom a monitor tells. */
export interface MonitorHandlers {
  onChange: () => void;
  /** A change of the link as a sentence; each further try that fails alike is not told. */
  onLink: (tone: Tone, text: string, about: string) => void;
  /** Whether anybody looks. */
  isWatched: () => boolean;
}

/** Watches one queue: its rates, its link, its dead letters. */
export class QueueMonitor {
  readonly #keeper: QueueKeeper;
  readonly #facts: QueueFacts;
  readonly #handlers: MonitorHandlers;
  readonly #rates = new RateMeter();
  readonly #ticker: ReturnType<typeof setInterval>;
  readonly #onLink = () => this.#tellLink();
  #ticks = 0;
  #dead: number | null = null;
  #counting = false;
  #countAgain = false;
  #closed = false;
  #told = "";
  #said = "";

  constructor(keeper: QueueKeeper, facts: QueueFacts, handlers: MonitorHandlers) {
    this.#keeper = keeper;
    this.#facts = facts;
    this.#handlers = handlers;
    keeper.addEventListener("change", this.#onLink);
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
    this.#rates.tick(0, 0);
    this.#tellLink();
  }

  /** The status as it is now. */
  status(): QueueStatus {
    const { queue, link } = this.#keeper;
    return {
      ...this.#facts,
      link,
      stats: queue.stats(),
      dead: this.#dead,
      protocolVersion: queue.getCapabilities().protocolVersion,
      rates: this.#rates.now,
      peaks: this.#rates.peaks,
      now: Date.now(),
    };
  }

  /** One sentence for a screen reader, changed every few seconds at most. */
  get sentence(): string {
    return this.#said;
  }

  /** Counts the dead letters, soon: what fails to be counted is not known. */
  recountDead(): void {
    if (this.#counting || this.#closed) {
      this.#countAgain = true;
      return;
    }
    if (this.#keeper.link.state !== "connected") return;
    this.#counting = true;
    this.#countAgain = false;
    this.#keeper.queue.deadLetters.count()
      .then((count) => this.#dead = count, () => this.#dead = null) // The link went meanwhile.
      .finally(() => {
        this.#counting = false;
        this.#handlers.onChange();
        if (this.#countAgain) this.recountDead();
      });
  }

  close(): void {
    this.#closed = true;
    this.#countAgain = false;
    clearInterval(this.#ticker);
    this.#keeper.removeEventListener("change", this.#onLink);
  }

  #tick(): void {
    const { arrived, sent } = this.#keeper.queue.stats();
    this.#rates.tick(arrived, sent);
    this.#ticks++;
    if (this.#ticks % ANNOUNCE_TICKS === 0) this.#announce();
    const few = (this.#dead ?? 0) < MANY_DEAD;
    if (this.#ticks % RECOUNT_TICKS === 0 && few && this.#handlers.isWatched()) this.recountDead();
    this.#handlers.onChange();
  }

  #tellLink(): void {
    const { state, trouble } = this.#keeper.link;
    this.#announce();
    this.#handlers.onChange();
    if (state === "connecting" || state === "closed") return;
    const told = `${state} ${trouble ?? ""}`;
    if (told === this.#told) return;
    this.#told = told;
    const { onLink } = this.#handlers;
    if (state === "connected") {
      onLink("good", "connected", this.#facts.brokerUrl);
      this.recountDead();
    } else if (state === "waiting") {
      onLink("waiting", trouble ?? "the broker does not answer", "");
    } else if (state === "reconnecting") {
      onLink("waiting", "link lost, reconnecting", trouble ?? "");
    } else onLink("bad", "link lost for good", trouble ?? "");
  }

  #announce(): void {
    this.#said = statusSentence(this.status());
  }
}
