import { QueueClosedError } from "../mod.ts";
import { type Command, COMMANDS, type Draft, findCommand, sendDraft } from "./commands.ts";
import { type CommandLine, parseCommandLine, quoteWord } from "./command_line.ts";
import { commandEntry, messageEntry, noticeEntry, type Tone } from "./entry_views.ts";
import { type Html, LiveFeed } from "./live_feed.ts";
import { previewMessage } from "./message_preview.ts";
import type { QueueKeeper } from "./queue_keeper.ts";
import { RateMeter } from "./rate_meter.ts";
import { type QueueStatus, statusSentence, statusTable, statusView } from "./status_views.ts";

const TICK_MS = 1000;
const ANNOUNCE_TICKS = 5;
const MAX_RUNNING = 32;

/** What the page says about the broker and does not change while the server runs. */
export interface TerminalFacts {
  /** Without user name and password. */
  brokerUrl: string;
  embedded: boolean;
  topic: string;
  qos: number;
}

/**
 * The terminal that all pages show: runs commands on the server's queue and tells the feed what
 * comes of them, what arrives and how the link fares.
 */
export class Terminal {
  readonly live: LiveFeed;
  readonly #keeper: QueueKeeper;
  readonly #facts: TerminalFacts;
  readonly #rates = new RateMeter();
  readonly #ticker: ReturnType<typeof setInterval>;
  #running = 0;
  #ticks = 0;
  #said = "";
  #toldState = "";

  constructor(keeper: QueueKeeper, facts: TerminalFacts) {
    this.#keeper = keeper;
    this.#facts = facts;
    this.live = new LiveFeed({
      status: () => statusView(this.#status()).toString().trim(),
      announcement: () => this.#said,
    });
    this.#welcome();
    this.#follow();
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
    this.#tick();
  }

  /** Prints the line, runs it, and prints what comes of it. Never rejects: errors are printed too. */
  async run(line: string): Promise<void> {
    if (line.trim() === "") return;
    this.#print(commandEntry(line.trim(), new Date()));
    await this.#attempt(async () => {
      const parsed: CommandLine = parseCommandLine(line);
      const command: Command = findCommand(parsed);
      return await command.run({
        keeper: this.#keeper,
        statusRows: () => statusTable(this.#status()),
        clear: () => this.live.clear(),
      }, parsed);
    });
  }

  /** Sends what was written into the form, printed as the command that it stands for. */
  async send(draft: Draft): Promise<void> {
    const words = ["send"];
    if (draft.messageType !== null) words.push("--type", quoteWord(draft.messageType));
    if (draft.correlationId !== null) {
      words.push("--correlation-id", quoteWord(draft.correlationId));
    }
    this.#print(commandEntry([...words, draft.text].join(" "), new Date()));
    await this.#attempt(() => sendDraft(this.#keeper, draft));
  }

  /** Prints a sentence, such as what another client of the server did. */
  tell(tone: Tone, text: string, about?: string): void {
    const at = new Date();
    this.live.push(() => noticeEntry(tone, text, at, about));
  }

  /** The status bar as it is now. */
  status(): Html {
    return statusView(this.#status());
  }

  /** What Tab may complete: a command a line, its options behind it. */
  get vocabulary(): string {
    return COMMANDS.map(({ name, options }) =>
      [name, ...options.map((option) => `--${option}`)].join(" ")
    ).join("\n");
  }

  /** Ends the feed. */
  close(): void {
    clearInterval(this.#ticker);
    this.live.close();
  }

  #print(entry: Html): void {
    this.live.push(() => entry);
  }

  async #attempt(work: () => Promise<Html | null>): Promise<void> {
    if (this.#running >= MAX_RUNNING) {
      this.tell("bad", `Cannot run it: ${MAX_RUNNING} commands are running already`);
      return;
    }
    this.#running++;
    try {
      const entry = await work();
      if (entry !== null) this.#print(entry);
    } catch (error) {
      const { trouble } = this.#keeper.link;
      const why = error instanceof QueueClosedError && trouble !== null ? trouble : "";
      this.tell("bad", error instanceof Error ? error.message : String(error), why);
    } finally {
      this.#running--;
      this.live.touch();
    }
  }

  #welcome(): void {
    const { embedded, brokerUrl, topic } = this.#facts;
    this.tell(
      "plain",
      `Queue "${topic}" on ${embedded ? "the embedded broker" : "the broker"} ${brokerUrl}.`,
      "Type help, or press a button.",
    );
  }

  #follow(): void {
    const { queue } = this.#keeper;
    queue.addEventListener("arrive", ({ detail: { envelope } }) => {
      const preview = previewMessage(envelope);
      const at = new Date();
      this.live.push(() => messageEntry(preview, "arrived", at));
    });
    for (const type of ["settle", "drop"] as const) {
      queue.addEventListener(type, () => this.live.touch());
    }
    queue.addEventListener("drop", ({ detail: { envelope, reason } }) => {
      this.tell("bad", `dropped a message: ${reason}`, envelope.messageId.slice(0, 8));
    });
    queue.addEventListener("deadletter", ({ detail: { envelope, reason } }) => {
      this.tell("waiting", `dead letter: ${reason}`, envelope.messageId.slice(0, 8));
    });
    queue.addEventListener("sessionlost", ({ detail: { reason, held } }) => {
      this.tell("bad", `the session is ${reason}; ${held} held messages are told apart`);
    });
    queue.addEventListener("error", ({ detail: { error } }) => this.tell("bad", error.message));
    this.#keeper.addEventListener("change", () => this.#tellLink());
  }

  /** A change of the link as a line; each further try that fails alike is left to the status bar. */
  #tellLink(): void {
    const { state, trouble } = this.#keeper.link;
    this.#announce();
    this.live.touch();
    if (state === "connecting" || state === "closed") return;
    const told = `${state} ${trouble ?? ""}`;
    if (told === this.#toldState) return;
    this.#toldState = told;
    if (state === "connected") this.tell("good", "connected", this.#facts.brokerUrl);
    else if (state === "waiting") this.tell("waiting", trouble ?? "the broker does not answer");
    else if (state === "reconnecting") {
      this.tell("waiting", "link lost, reconnecting", trouble ?? "");
    } else this.tell("bad", "link lost for good", trouble ?? "");
  }

  #tick(): void {
    const { arrived, sent } = this.#keeper.queue.stats();
    this.#rates.tick(arrived, sent);
    if (++this.#ticks % ANNOUNCE_TICKS === 0) this.#announce();
    this.live.touch();
  }

  #announce(): void {
    this.#said = statusSentence(this.#status());
  }

  #status(): QueueStatus {
    const { queue, link } = this.#keeper;
    return {
      ...this.#facts,
      link,
      stats: queue.stats(),
      protocolVersion: queue.getCapabilities().protocolVersion,
      rates: this.#rates.now,
      lastMinute: this.#rates.lastMinute,
      now: Date.now(),
    };
  }
}
