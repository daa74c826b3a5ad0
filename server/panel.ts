import type { DeadLetter, MessageEnvelope } from "../mod.ts";
import { findLetter } from "./dead_letter_commands.ts";
import { html } from "./deps.ts";
import { type Inspected, inspectorView } from "./inspector_views.ts";
import type { Html } from "./live_feed.ts";
import { draftOf, readUtf8, writeDraft } from "./message_draft.ts";
import { findHandle } from "./message_handle.ts";
import { hexRows } from "./message_preview.ts";
import type { MessageShelf } from "./message_shelf.ts";
import type { CopiedPart } from "./panel_parts.ts";
import { type PanelPlace } from "./panel_place.ts";
import { deadLettersView, messagesView, panelFrame, purgeView } from "./panel_views.ts";
import type { QueueKeeper } from "./queue_keeper.ts";
import { visibleLine } from "./visible_text.ts";

const SHOWN_LETTERS = 100;
const PATIENCE_MS = 5000;

type MessagePlace = Extract<PanelPlace, { kind: "message" }>;

/** What the panel looks into. */
export interface PanelSources {
  keeper: QueueKeeper;
  shelf: MessageShelf;
  topic: string;
}

/** A part of a message as it is copied. */
export interface MessagePart {
  content: string | Uint8Array<ArrayBuffer>;
  /** Of the file, where it is to be saved as one. */
  fileName: string | null;
}

/** The panel at this place. Never rejects: what is in the way is what it shows. */
export async function renderPanel(sources: PanelSources, place: PanelPlace): Promise<Html> {
  try {
    const [title, content] = await read(sources, place);
    return panelFrame(sources.topic, place, title, content);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const said = html`<p class="empty bad"><bdi>${visibleLine(message, 500)}</bdi></p>`;
    return panelFrame(sources.topic, place, TITLES[place.kind], said);
  }
}

/**
 * A part of the message at this place.
 *
 * @throws {RangeError} where there is no such message
 */
export async function readPart(
  sources: PanelSources,
  place: MessagePlace,
  part: CopiedPart,
): Promise<MessagePart> {
  const { envelope } = await inspect(sources, place);
  const bytes = new Uint8Array(envelope.message ?? new Uint8Array());
  const text = readUtf8(bytes);
  if (part === "file") {
    const ending = text === null ? "bin" : /^\s*[[{]/.test(text) ? "json" : "txt";
    const name = envelope.messageId.replace(/[^\w.-]+/g, "_").slice(0, 60);
    return { content: bytes, fileName: `${name || "message"}.${ending}` };
  }
  return { content: copied(part, envelope, bytes, text), fileName: null };
}

const TITLES: Record<PanelPlace["kind"], string> = {
  messages: "Messages",
  dead: "Dead letters",
  message: "Message",
  purge: "Purge",
};

async function read(
  sources: PanelSources,
  place: PanelPlace,
): Promise<[title: string, content: Html]> {
  const { keeper: { queue }, keeper, topic } = sources;
  switch (place.kind) {
    case "messages": {
      const signal = AbortSignal.timeout(PATIENCE_MS);
      const ready = await queue.peekBatch(null, place.max, { signal });
      const { available } = queue.stats();
      return ["Messages", messagesView(topic, keeper.locked, ready, available)];
    }
    case "dead": {
      const letters = await queue.deadLetters.peekBatch(1_000_000);
      const shown = letters.slice(0, SHOWN_LETTERS);
      return ["Dead letters", deadLettersView(topic, shown, letters.length)];
    }
    case "purge":
      return ["Purge", purgeView(topic, place.id, await queue.deadLetters.count())];
    case "message": {
      const inspected = await inspect(sources, place);
      const { messageType, topic: arrivedOn } = inspected.envelope;
      const typed = messageType !== null && messageType !== arrivedOn;
      return [
        typed ? visibleLine(messageType, 80) : "Message",
        inspectorView(inspected),
      ];
    }
  }
}

async function inspect(sources: PanelSources, place: MessagePlace): Promise<Inspected> {
  const { keeper, topic, shelf } = sources;
  const found = (
    envelope: MessageEnvelope,
    standing: Inspected["standing"],
    letter: DeadLetter | null = null,
  ) => ({ topic, place, envelope, standing, letter });
  if (place.of === "dead") {
    const letter = await findLetter(keeper, place.id);
    return found(letter.envelope, "dead", letter);
  }
  const here = await keeper.lookUp(place.id);
  if (here !== null) return found(here, here.lockedUntil === null ? "ready" : "locked");
  const id = findHandle(place.id, shelf.ids);
  const gone = id === null ? null : shelf.get(id);
  if (gone !== null) return found(gone, "gone");
  throw new RangeError("The message is no longer here: it was received, completed or expired.");
}

function copied(
  part: Exclude<CopiedPart, "file">,
  envelope: MessageEnvelope,
  bytes: Uint8Array,
  text: string | null,
): string {
  switch (part) {
    case "text":
      return text ?? new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
    case "hex":
      return hexRows(bytes);
    case "base64":
      return bytes.toBase64();
    case "command":
      return writeDraft(draftOf(envelope));
    case "properties":
      return properties(envelope);
  }
}

function properties(envelope: MessageEnvelope): string {
  const { messageId, messageType, correlationId, topic, contentType, qos, retained } = envelope;
  const { sentTime, userProperties, deliveryCount } = envelope;
  const sent = Number.isNaN(sentTime.getTime()) ? null : sentTime.toISOString();
  return JSON.stringify(
    {
      messageId,
      messageType,
      correlationId,
      topic,
      contentType,
      qos,
      retained,
      deliveryCount,
      sentTime: sent,
      userProperties,
    },
    null,
    2,
  );
}
