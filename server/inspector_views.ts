import type { DeadLetter, MessageEnvelope } from "../mod.ts";
import { html } from "./deps.ts";
import { jsonTree } from "./json_tree.ts";
import type { Html } from "./live_feed.ts";
import { readUtf8 } from "./message_draft.ts";
import { handleOf } from "./message_handle.ts";
import { formatSize, hexRows } from "./message_preview.ts";
import { ageView, commandButton, copyLink, lockView, panelLink } from "./panel_parts.ts";
import { BODY_VIEWS, type BodyView, LAST_LIMIT, type PanelPlace } from "./panel_place.ts";
import { visibleLine, visibleText } from "./visible_text.ts";

/** Beyond this a tree would be too much for any browser. */
const MAX_TREE_BYTES = 512 * 1024;

type MessagePlace = Extract<PanelPlace, { kind: "message" }>;

/** What the inspector shows, and where the message stands now. */
export interface Inspected {
  topic: string;
  place: MessagePlace;
  envelope: MessageEnvelope;
  /** `gone`: it was received here, and is no longer in the queue. */
  standing: "ready" | "locked" | "gone" | "dead";
  letter: DeadLetter | null;
}

/** One message in full. */
export function inspectorView(inspected: Inspected): Html {
  const { envelope, letter, topic, place } = inspected;
  const bytes = envelope.message ?? new Uint8Array();
  const view = place.view ?? bestView(bytes);
  return html`
    <div class="actions">${actions(inspected)}</div>
    <dl class="facts">
      ${facts(envelope, letter).map(([name, value]) =>
        value === null || value === "" ? "" : fact(name, value)
      )}
    </dl>
    <nav class="views" aria-label="Views of the body">
      ${BODY_VIEWS.map((each) =>
        panelLink(topic, { ...place, view: each }, each === "json" ? "JSON" : each, each === view)
      )}
      <span class="size">${formatSize(bytes.length)}</span>
    </nav>
    ${bodyView(bytes, view, inspected)}
    <p class="copies"><span>copy</span> ${([
      "text",
      "hex",
      "base64",
      "properties",
      "command",
    ] as const).map((part) => copyLink(topic, place, part))} ${copyLink(topic, place, "file")}</p>
  `;
}

function actions({ envelope, standing }: Inspected): Html {
  const id = handleOf(envelope.messageId);
  if (standing === "dead") {
    return html`${commandButton(`redrive ${id}`, "redrive")} ${
      commandButton(`purge ${id}`, "purge…", "danger")
    }`;
  }
  if (standing === "gone") {
    return html`<span class="badge">received: no longer in the queue</span>`;
  }
  const locked = standing === "locked";
  return html`${locked ? lockView(envelope) : html`<span class="badge">ready</span>`} ${
    commandButton(`complete ${id}`, "complete")
  } ${locked ? commandButton(`abandon ${id}`, "abandon") : commandButton(`lock ${id}`, "lock")} ${
    locked ? commandButton(`renew ${id}`, "renew") : ""
  } ${commandButton(`dead ${id}`, "dead-letter", "danger")}`;
}

function facts(
  envelope: MessageEnvelope,
  letter: DeadLetter | null,
): [string, string | Html | null][] {
  const { sentTime, qos, retained, duplicate, expiry } = envelope;
  const marks = `${qos}${retained ? ", retained" : ""}${duplicate ? ", sent again" : ""}`;
  return [
    ["reason", letter?.reason ?? null],
    ["description", letter?.description ?? null],
    ["given up", letter === null ? null : ageView(letter.time, " ago")],
    ["message id", envelope.messageId],
    ["type", envelope.messageType],
    ["correlation id", envelope.correlationId],
    ["topic", envelope.topic],
    ["sent", ageView(sentTime, " ago")],
    ["content type", envelope.contentType],
    ["QoS", marks],
    ["deliveries", envelope.deliveryCount > 0 ? String(envelope.deliveryCount) : null],
    ["expires", expiry === null ? null : `${expiry} s after it was sent`],
    ...Object.entries(envelope.userProperties).slice(0, 100),
  ];
}

function fact(name: string, value: string | Html): Html {
  const copies = typeof value === "string";
  const label = visibleLine(name, 120);
  return html`
    <div>
      <dt><bdi>${label}</bdi></dt>
      <dd>${copies ? html`<bdi>${visibleLine(value, 400)}</bdi>` : value} ${copies
        ? html`
          <button type="button" class="copy" data-copy="${JSON.stringify(value.slice(0, 65_536))}"
            aria-label="copy ${label}">copy</button>
        `
        : ""}</dd>
    </div>
  `;
}

function bodyView(bytes: Uint8Array, view: BodyView, { topic, place }: Inspected): Html {
  if (bytes.length === 0) return html`<p class="empty">The body is empty.</p>`;
  if (view === "json") {
    const text = bytes.length > MAX_TREE_BYTES ? null : readUtf8(bytes);
    const tree = text === null ? null : jsonTree(text);
    if (tree !== null) return tree;
    const why = bytes.length > MAX_TREE_BYTES ? "too large for a tree" : "no JSON";
    return html`<p class="empty">The body is ${why}.</p>`;
  }
  const limit = Math.min(view === "text" ? place.limit : Math.ceil(place.limit / 4), bytes.length);
  const head = bytes.subarray(0, limit);
  const whole = limit === bytes.length;
  const more = { ...place, view, limit: Math.min(place.limit * 8, LAST_LIMIT) };
  return html`
    <pre class="body as-${view}" dir="${view === "text"
      ? "auto"
      : "ltr"}" tabindex="0" role="region"
      aria-label="Body as ${view}">${written(head, view)}</pre>${whole
        ? ""
        : html`<p class="rest">The first ${formatSize(limit)} of ${formatSize(bytes.length)}. ${
          more.limit > place.limit ? panelLink(topic, more, "show more") : ""
        }</p>`}
  `;
}

function written(head: Uint8Array, view: BodyView): string {
  if (view === "hex") return hexRows(head);
  if (view === "base64") return head.toBase64();
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(head);
  return visibleText(text.replaceAll("\r\n", "\n"), "\n\t");
}

function bestView(bytes: Uint8Array): BodyView {
  const text = readUtf8(bytes);
  if (text === null) return "hex";
  const mayBeJson = bytes.length <= MAX_TREE_BYTES && /^\s*[[{]/.test(text);
  return mayBeJson && jsonTree(text) !== null ? "json" : "text";
}
