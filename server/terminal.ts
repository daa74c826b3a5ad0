import { QueueClosedError } from "../mod.ts";
import { parseCommandLine } from "./command_line.ts";
import { type Command, findCommand, FLAGS } from "./commands.ts";
import { commandEntry, messageEntry, noticeEntry, type Tone } from "./entry_views.ts";
import { type Html, LiveFeed, type LiveFeedOptions } from "./live_feed.ts";
import { type CommandContext, sendDraft } from "./message_commands.ts";
import { type MessageDraft, writeDraft } from "./message_draft.ts";
import { shortHandle } from "./message_handle.ts";
import { previewMessage, writePreview } from "./message_preview.ts";
import { MessageShelf } from "./message_shelf.ts";
import type { PanelSources } from "./panel.ts";
import type { PanelPlace } from "./panel_place.ts";
import { type QueueFacts, QueueMonitor } from "./queue_monitor.ts";
import type { QueueKeeper } from "./queue_keeper.ts";
import type { SavedMessages } from "./saved_messages.ts";
import { type QueueLink, statusTable, statusView } from "./status_views.ts";

const MAX_RUNNING = 32;
/** Messages that `listen` works on at once. */
const CONCURRENCY = 16;

/** What all terminals of the server share. */
export interface SharedParts {
  saved: SavedMessages;
  /** The queues that are open on the server. */
  queues: () => QueueLink[];
}

/** What comes of a line: `done` when it is through; what the page on which it was typed shows now. */
export interface Outcome {
  done: Promise<void>;
  panel: PanelPlace | null;
  /** The topic to go to. */
  go: string | null;
}

/**
 * The terminal of one queue, the same on all pages that show it: runs commands and tells the feed
 * what comes of them, what arrives and how the link fares.
 */
export class Terminal {
  readonly live: LiveFeed;
  readonly sources: PanelSources;
  readonly #keeper: QueueKeeper;
  readonly #facts: QueueFacts;
  readonly #monitor: QueueMonitor;
  readonly #shared: SharedParts;
  readonly #context: CommandContext;
  #listening: AbortController | null = null;
  #running = 0;

  constructor(
    keeper: QueueKeeper,
    facts: QueueFacts,
    shared: SharedParts,
    limits: LiveFeedOptions = {},
  ) {
    this.#keeper = keeper;
    this.#facts = facts;
    this.#shared = shared;
    this.sources = { keeper, shelf: new MessageShelf(), topic: facts.topic };
    this.live = new LiveFeed({
      status: () => this.status().toString().trim(),
      announcement: () => this.#monitor.sentence,
    }, limits);
    this.#context = {
      ...this.sources,
      saved: shared.saved,
      lastSent: null,
      statusRows: () => statusTable(this.#monitor.status()),
      topics: () => this.#topics(),
      clear: () => this.live.clear(),
      listen: (on) => Promise.resolve(this.#listen(on)),
    };
    this.#welcome();
    this.#follow();
    this.#monitor = new QueueMonitor(keeper, facts, {
      onChange: () => this.live.touch(),
      onLink: (tone, text, about) => this.tell(tone, text, about),
      isWatched: () => this.live.streams > 0,
    });
  }

  /** The queue's topic. */
  get topic(): string {
    return this.#facts.topic;
  }

  /** Prints the line and runs it. `done` never rejects: errors are printed too. */
  run(line: string, page = ""): Outcome {
    const outcome: Outcome = { done: Promise.resolve(), panel: null, go: null };
    if (line.trim() === "") return outcome;
    this.#print(commandEntry(line.trim(), new Date(), page));
    try {
      const parsed = parseCommandLine(line, FLAGS);
      const command: Command = findCommand(parsed);
      if (command.name === "topic" && parsed.rest !== "") return { ...outcome, go: parsed.rest };
      const done = this.#attempt(() => command.run(this.#context, parsed));
      return { ...outcome, done, panel: command.opens?.(parsed) ?? null };
    } catch (error) {
      this.fail(error);
      return outcome;
    }
  }

  /** Sends what was written into the form, printed as the command that it stands for. */
  send(draft: MessageDraft, page = ""): Outcome {
    this.#print(commandEntry(writeDraft(draft), new Date(), page));
    const done = this.#attempt(() => sendDraft(this.#context, draft));
    return { done, panel: null, go: null };
  }

  /** Prints a sentence, such as what another client of the server did. */
  tell(tone: Tone, text: string, about?: string): void {
    const at = new Date();
    this.live.push(() => noticeEntry(tone, text, at, about));
  }

  /** Prints an error. */
  fail(error: unknown): void {
    const { trouble } = this.#keeper.link;
    const why = error instanceof QueueClosedError && trouble !== null ? trouble : "";
    this.tell("bad", error instanceof Error ? error.message : String(error), why);
  }

  /** The status bar as it is now. */
  status(): Html {
    return statusView({
      ...this.#monitor.status(),
      listening: this.#listening !== null,
      queues: this.#shared.queues(),
      saved: this.#shared.saved,
    });
  }

  /** Ends the feed and what runs. */
  close(): void {
    this.#listening?.abort();
    this.#monitor.close();
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
      this.fail(error);
    } finally {
      this.#running--;
      this.#monitor.recountDead();
      this.live.touch();
    }
  }

  /** Starts or ends to take every message; tells whether that changed anything. */
  #listen(on: boolean): boolean {
    if (on === (this.#listening !== null)) return false;
    this.#listening?.abort();
    this.#listening = null;
    if (!on) return true;
    const stop = this.#listening = new AbortController();
    const { queue } = this.#keeper;
    queue.listen(null, (envelope) => {
      this.sources.shelf.put(envelope);
      this.#tellMessage(previewMessage(envelope), "received");
    }, { signal: stop.signal, concurrency: CONCURRENCY })
      .catch((error) => {
        if (!stop.signal.aborted) this.fail(error);
      })
      .finally(() => {
        if (this.#listening === stop) this.#listening = null;
        this.live.touch();
      });
    return true;
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
      this.#tellMessage(previewMessage(envelope), "arrived");
    });
    for (const type of ["settle", "drop"] as const) {
      queue.addEventListener(type, () => this.live.touch());
    }
    queue.addEventListener("drop", ({ detail: { envelope, reason } }) => {
      this.tell("bad", `dropped a message: ${reason}`, shortHandle(envelope.messageId));
    });
    queue.addEventListener("deadletter", ({ detail: { envelope, reason } }) => {
      this.tell("waiting", `dead letter: ${reason}`, shortHandle(envelope.messageId));
      this.#monitor.recountDead();
    });
    queue.addEventListener("sessionlost", ({ detail: { reason, held } }) => {
      this.tell("bad", `the session is ${reason}; ${held} held messages are told apart`);
    });
    queue.addEventListener("error", ({ detail: { error } }) => this.tell("bad", error.message));
  }

  #tellMessage(preview: ReturnType<typeof previewMessage>, mark: "arrived" | "received"): void {
    const at = new Date();
    const { topic } = this.#facts;
    this.live.push(
      () => messageEntry(preview, mark, at, { queue: topic }),
      () => ({ time: at.toISOString(), event: mark, ...writePreview(preview) }),
    );
  }

  #topics(): [string, string][] {
    return this.#shared.queues().map(({ topic, ready }) => [
      topic,
      `${ready} ready${topic === this.#facts.topic ? ", this one" : ""}`,
    ]);
  }
}
