import { html, type HtmlEscapedString, raw } from "./deps.ts";

/** Between two frames to the same page. */
const FRAME_MS = 60;
const PING_MS = 15_000;
/** A page that takes nothing for so long is gone, asleep, or up to no good. */
const STALL_MS = 30_000;
const KEPT_ENTRIES = 500;
/** More at once is a flood, and then fewer are shown: nobody reads them, and typing must stay smooth. */
const FRAME_ENTRIES = 100;
const FLOOD_ENTRIES = 40;

export type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

/** What the parts of the page beside the scrollback look like now. */
export interface LiveParts {
  /** The status bar. */
  status: () => string;
  /** One sentence for a screen reader, changed only every few seconds. */
  announcement: () => string;
}

/** How far a page has come. */
interface Cursor {
  seq: number;
  status: string;
  announcement: string;
}

/** A page that listens. */
interface Listener {
  /** When the frame was handed over that it has not taken yet, in ms since 1970; `Infinity` where it waits for one. */
  owedSince: number;
  /** Ends its stream. */
  drop: () => void;
}

/** What a test may make smaller. */
export interface LiveFeedOptions {
  /** Pages that may listen. */
  maxStreams?: number;
  /** How long a page may leave a frame lying. */
  stallMs?: number;
}

interface Entry {
  seq: number;
  render: () => Html;
  text: string | null;
  record: (() => unknown) | null;
}

/**
 * The scrollback that all pages share, and what brings it to them: one frame for whatever has come
 * up since the last, at most one every 60 ms.
 *
 * - The last 500 entries are kept. A page that comes back says how far it was (`Last-Event-ID`) and
 *   gets what it missed; one that was away through a `clear` or a restart gets the whole anew.
 * - Entries are rendered when the first page needs them: a flood that nobody can read costs nothing.
 * - A page that reads slowly gets fewer frames, never a longer queue; the stream of one that reads
 *   nothing ends, and its place is free.
 */
export class LiveFeed {
  readonly #epoch = crypto.randomUUID().slice(0, 8);
  readonly #parts: LiveParts;
  readonly #maxStreams: number;
  readonly #stallMs: number;
  readonly #listeners = new Set<Listener>();
  #entries: Entry[] = [];
  #seq = 0;
  #clearedAt = 0;
  #closed = false;
  #flushTimer: ReturnType<typeof setTimeout> | null = null;
  #flushedAt = 0;
  #changed = Promise.withResolvers<void>();

  constructor(parts: LiveParts, { maxStreams = 64, stallMs = STALL_MS }: LiveFeedOptions = {}) {
    this.#parts = parts;
    this.#maxStreams = maxStreams;
    this.#stallMs = stallMs;
  }

  /**
   * Adds an entry to every page's scrollback.
   *
   * @param record what stands for it in an export
   */
  push(render: () => Html, record: (() => unknown) | null = null): void {
    this.#entries.push({ seq: ++this.#seq, render, text: null, record });
    if (this.#entries.length > 2 * KEPT_ENTRIES) this.#entries = this.#entries.slice(-KEPT_ENTRIES);
    this.touch();
  }

  /** Empties every page's scrollback. */
  clear(): void {
    this.#entries = [];
    this.#clearedAt = ++this.#seq;
    this.touch();
  }

  /** Says that something on the page may have changed. */
  touch(): void {
    if (this.#flushTimer !== null || this.#closed) return;
    const wait = Math.max(0, this.#flushedAt + FRAME_MS - Date.now());
    this.#flushTimer = setTimeout(() => this.#flush(), wait);
  }

  /** The last entries as HTML, for the page itself. */
  recent(): HtmlEscapedString {
    return raw(this.#render(this.#entries.slice(-KEPT_ENTRIES)));
  }

  /** What stands for the last entries in an export, oldest first. */
  records(): unknown[] {
    return this.#entries.slice(-KEPT_ENTRIES)
      .flatMap(({ record }) => record === null ? [] : [record()]);
  }

  /** How far the page that shows `recent()` is. */
  get position(): string {
    return `${this.#epoch}-${this.#seq}`;
  }

  /** Pages that listen now. */
  get streams(): number {
    return this.#listeners.size;
  }

  /**
   * The frames from `position` on, or `null` where as many pages listen as may. The stream ends with
   * the feed.
   *
   * @param onEnd called once, when nobody reads it any more
   */
  stream(
    position: string | null,
    onEnd: () => void = () => {},
  ): ReadableStream<Uint8Array> | null {
    if (this.#listeners.size >= this.#maxStreams || this.#closed) return null;
    const encoder = new TextEncoder();
    const stop = new AbortController();
    const cursor: Cursor = { seq: this.#parse(position), status: "", announcement: "" };
    const listener: Listener = { owedSince: Infinity, drop: () => {} };
    this.#listeners.add(listener);
    const end = () => {
      if (!this.#listeners.delete(listener)) return;
      stop.abort();
      onEnd();
    };
    let first = true;
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        listener.drop = () => {
          end();
          controller.close();
        };
      },
      pull: async (controller) => {
        const hand = (frame: string) => {
          listener.owedSince = Date.now();
          controller.enqueue(encoder.encode(frame));
        };
        listener.owedSince = Infinity;
        while (!stop.signal.aborted) {
          if (this.#closed) return listener.drop();
          const change = this.#changed.promise;
          const frame = this.#nextFrame(cursor);
          if (frame !== null || first) {
            first = false;
            return hand(frame ?? ": hello\n\n");
          }
          if (await isLate(change, PING_MS, stop.signal)) {
            return hand(": ping\n\n");
          }
        }
      },
      cancel: end,
    }, { highWaterMark: 0 });
  }

  /** Ends every stream and takes no new ones. */
  close(): void {
    this.#closed = true;
    if (this.#flushTimer !== null) clearTimeout(this.#flushTimer);
    this.#changed.resolve();
  }

  #flush(): void {
    this.#flushTimer = null;
    this.#flushedAt = Date.now();
    const changed = this.#changed;
    this.#changed = Promise.withResolvers();
    changed.resolve();
    const latest = this.#flushedAt - this.#stallMs;
    for (const listener of this.#listeners) if (listener.owedSince < latest) listener.drop();
  }

  /** The seq in a position of this feed; -1 for any other, so that the page is filled anew. */
  #parse(position: string | null): number {
    const [epoch, seq] = position?.split("-") ?? [];
    return epoch === this.#epoch && /^\d{1,15}$/.test(seq ?? "") ? Number(seq) : -1;
  }

  #nextFrame(cursor: Cursor): string | null {
    const parts: string[] = [];
    if (cursor.seq < this.#seq) {
      const anew = cursor.seq < this.#clearedAt;
      const missed = anew ? this.#entries : this.#entries.filter(({ seq }) => seq > cursor.seq);
      const most = missed.length > FRAME_ENTRIES ? FLOOD_ENTRIES : FRAME_ENTRIES;
      const shown = missed.slice(anew ? -KEPT_ENTRIES : -most);
      const skipped = anew ? 0 : this.#seq - cursor.seq - shown.length;
      parts.push(
        partial("#log", anew ? "innerHTML" : "beforeend", gap(skipped) + this.#render(shown)),
      );
      cursor.seq = this.#seq;
    } else if (cursor.seq > this.#seq) {
      cursor.seq = this.#seq; // Nobody was ever that far; the page made it up.
    }
    const status = this.#parts.status();
    if (status !== cursor.status) {
      parts.push(partial("#status", "innerMorph", cursor.status = status));
    }
    const said = this.#parts.announcement();
    if (said !== cursor.announcement) {
      parts.push(
        partial("#announcement", "innerHTML", html`${cursor.announcement = said}`.toString()),
      );
    }
    if (parts.length === 0) return null;
    return `id: ${this.#epoch}-${cursor.seq}\n${dataLines(parts.join(""))}\n\n`;
  }

  #render(entries: Entry[]): string {
    return entries.map((entry) => entry.text ??= compact(entry.render().toString())).join("");
  }
}

/** Without the space between our own tags: half of what a browser would have to keep. Text holds no `>`. */
function compact(content: string): string {
  return content.trim().replace(/>\s+<(?!\/pre)/g, "><");
}

function partial(target: string, swap: string, content: string): string {
  return `<hx-partial hx-target="${target}" hx-swap="${swap}">${content}</hx-partial>`;
}

function gap(skipped: number): string {
  if (skipped <= 0) return "";
  const amount = skipped.toLocaleString("en");
  return html`<div class="entry gap">${amount} not shown: they came faster than anybody reads</div>`
    .toString();
}

/** HTML as one message of the stream: a line break of any kind would otherwise end the field. */
function dataLines(content: string): string {
  return content.split(/\r\n|\r|\n/).map((line) => `data: ${line}`).join("\n");
}

/** Whether the time is over before the promise is settled or the signal aborted. */
async function isLate(change: Promise<void>, ms: number, signal: AbortSignal): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(true), ms);
  const stopped = () => resolve(false);
  signal.addEventListener("abort", stopped, { once: true });
  try {
    return await Promise.race([late, change.then(() => false)]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stopped);
  }
}
