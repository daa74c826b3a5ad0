import { html, raw } from "./deps.ts";
import type { Html } from "./live_feed.ts";
import {
  type BodyText,
  formatSize,
  type MessagePreview,
  readBody,
  readBodyStart,
} from "./message_preview.ts";
import { handleOf, shortHandle } from "./message_handle.ts";
import { messagePlace, writePlace } from "./panel_place.ts";
import { visibleLine } from "./visible_text.ts";

/** How a message came to stand in the scrollback. */
export type MessageMark = "arrived" | "received" | "peeked" | "locked";
/** What a notice is about; each has a sign of its own, so that colour is never alone. */
export type Tone = "plain" | "good" | "waiting" | "bad";

const MARKS: Record<MessageMark, string> = {
  arrived: "↓",
  received: "✓",
  peeked: "○",
  locked: "◆",
};
const SIGNS: Record<Tone, string> = { plain: "·", good: "✓", waiting: "…", bad: "✕" };
const LINE_CHARACTERS = 400;
const ECHO_CHARACTERS = 1000;
/** A body up to this long is shown at once where somebody asked for it. */
const OPEN_CHARACTERS = 2000;

/** A command as it was typed or clicked, and the page on which it was. */
export function commandEntry(line: string, at: Date, page = ""): Html {
  const shown = visibleLine(line, ECHO_CHARACTERS);
  return html`
    <div class="entry command" data-page="${page}">
      ${clock(at)}
      <span class="sign" aria-hidden="true">❯</span>
      <span class="text"><span class="unseen">Command: </span><bdi>${shown}</bdi></span>
    </div>
  `;
}

/** One sentence of the server's own, and what it is about. */
export function noticeEntry(tone: Tone, text: string, at: Date, about = ""): Html {
  const said = visibleLine(text, ECHO_CHARACTERS);
  const kind = tone === "bad" ? "Error: " : "";
  return html`
    <div class="entry notice ${tone}">
      ${clock(at)}
      <span class="sign" aria-hidden="true">${SIGNS[tone]}</span>
      <span class="text">
        <span class="unseen">${kind}</span><bdi>${said}</bdi>${about === "" ? "" : aboutView(about)}
      </span>
    </div>
  `;
}

/** With a space of its own: where lines break, and for who hears it. The one between the tags would be taken out. */
function aboutView(about: string): Html {
  return html`&#32;<bdi class="about">${visibleLine(about)}</bdi>`;
}

/** Names and what they stand for, in two columns. */
export function tableEntry(rows: readonly (readonly [string, string])[]): Html {
  return html`
    <dl class="entry table">${rows.map(([name, value]) => pair(name, value))}</dl>
  `;
}

/** How an entry stands. */
export interface EntryOptions {
  /** Whether the whole is shown at once, where it is short. */
  opens?: boolean;
  /** The terminal's topic, where the message can be inspected. */
  queue?: string;
}

/** One message on a line that opens. */
export function messageEntry(
  preview: MessagePreview,
  mark: MessageMark,
  at: Date,
  { opens = false, queue }: EntryOptions = {},
): Html {
  const body = readBody(preview);
  const open = opens && body.text.length <= OPEN_CHARACTERS && /\n|^.{100}/.test(body.text);
  const type = visibleLine(preview.messageType ?? "", 60);
  // A foreign sender's message is called after its topic. Where that is the queue's it says nothing new.
  const known = type === "" || preview.messageType === (queue ?? preview.topic) ? "known" : "";
  const id = shortHandle(preview.messageId);
  const start = body.form === "empty"
    ? "empty"
    : visibleLine(readBodyStart(preview), LINE_CHARACTERS);
  return html`
    <details class="entry message ${mark}" data-id="${handleOf(preview.messageId)}" ${open
      ? raw("open")
      : ""}>
      <summary>
        ${clock(at)}
        <span class="sign" aria-hidden="true">${MARKS[mark]}</span>
        <span class="unseen">${mark} </span>
        <span class="type ${known}"><bdi>${type}</bdi></span>
        <span class="size">${formatSize(preview.size)}</span>
        <span class="id"><bdi>${id}</bdi></span>
        <span class="start as-${body.form}"><bdi>${start}</bdi></span>
      </summary>
      <div class="whole">${opens ? facts(preview) : ""}${bodyView(
        preview,
        body,
      )}${queue === undefined ? "" : inspectLink(preview, queue)}</div>
    </details>
  `;
}

/** Time of day for the eye, the whole time for everything else. */
export function clock(at: Date): Html {
  const time = at.toTimeString().slice(0, 8);
  return html`<time datetime="${at.toISOString()}">${time}</time>`;
}

function facts(preview: MessagePreview): Html {
  const rows: [string, string | null][] = [
    ["message id", preview.messageId],
    ["type", preview.messageType],
    ["correlation id", preview.correlationId],
    ["topic", preview.topic],
    ["sent", isoTime(preview.sentTime)],
    ["content type", preview.contentType],
    ["size", preview.size < 1024 ? null : `${preview.size.toLocaleString("en")} bytes`],
    [
      "QoS",
      `${preview.qos}${preview.retained ? ", retained" : ""}${
        preview.duplicate ? ", sent again" : ""
      }`,
    ],
    ["deliveries", preview.deliveryCount > 0 ? String(preview.deliveryCount) : null],
    ["locked until", preview.lockedUntil && isoTime(preview.lockedUntil)],
    ...preview.userProperties,
  ];
  return html`
    <dl class="facts">
      ${rows.map(([name, value]) => value === null ? "" : pair(name, value))}
    </dl>
  `;
}

function bodyView(preview: MessagePreview, body: BodyText): Html | string {
  if (body.form === "empty") return "";
  const shown = html`<pre class="body as-${body.form}" dir="auto">${body.text}</pre>`;
  if (body.shown === preview.size) return shown;
  const whole = formatSize(preview.size);
  return html`${shown}<p class="rest">The first ${formatSize(body.shown)} of ${whole}.</p>`;
}

function inspectLink({ messageId }: MessagePreview, queue: string): Html {
  const query = writePlace(queue, messagePlace(messageId));
  return html`<p><a href="/?${query}" data-panel="/panel?${query}">inspect</a></p>`;
}

function pair(name: string, value: string): Html {
  const label = visibleLine(name, 120);
  return html`
    <div>
      <dt><bdi>${label}</bdi></dt>
      <dd><bdi>${visibleLine(value, 500)}</bdi></dd>
    </div>
  `;
}

/** A sender may have written anything where the time stands. */
function isoTime(time: Date): string {
  return Number.isNaN(time.getTime()) ? "unknown" : time.toISOString();
}
