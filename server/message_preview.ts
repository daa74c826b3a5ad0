import type { MessageEnvelope, QoS } from "../mod.ts";
import { visibleText } from "./visible_text.ts";

/** How much of a body the page shows. */
const SHOWN_BYTES = 4096;
const SHOWN_HEX_BYTES = 512;
const SHOWN_PROPERTIES = 20;
const HEX_ROW = 16;
/** A body of nothing but brackets would otherwise grow a thousandfold. */
const MAX_INDENT = 12;

/** What the scrollback keeps of a message: a few KiB at most, however large the message was. */
export interface MessagePreview {
  messageId: string;
  correlationId: string | null;
  messageType: string | null;
  contentType: string | null;
  topic: string | null;
  sentTime: Date;
  qos: QoS;
  retained: boolean;
  duplicate: boolean;
  deliveryCount: number;
  lockedUntil: Date | null;
  userProperties: [string, string][];
  /** Bytes in the whole body. */
  size: number;
  head: Uint8Array;
}

/** A body in the form in which a person can read it. */
export interface BodyText {
  form: "empty" | "text" | "json" | "hex";
  text: string;
  /** Bytes of the body that the text stands for. */
  shown: number;
}

/** Keeps of the message what the page shows. */
export function previewMessage(envelope: MessageEnvelope): MessagePreview {
  const { message, userProperties } = envelope;
  return {
    messageId: envelope.messageId,
    correlationId: envelope.correlationId,
    messageType: envelope.messageType,
    contentType: envelope.contentType,
    topic: envelope.topic,
    sentTime: envelope.sentTime,
    qos: envelope.qos,
    retained: envelope.retained,
    duplicate: envelope.duplicate,
    deliveryCount: envelope.deliveryCount,
    lockedUntil: envelope.lockedUntil,
    userProperties: Object.entries(userProperties).slice(0, SHOWN_PROPERTIES),
    size: message?.byteLength ?? 0,
    head: message?.slice(0, SHOWN_BYTES) ?? new Uint8Array(),
  };
}

/** What an export says of a message: the text where it is one, else base64; its beginning where it is large. */
export function writePreview(preview: MessagePreview): Record<string, unknown> {
  const { head, size, sentTime, userProperties, ...facts } = preview;
  const text = readText(preview);
  return {
    ...facts,
    sentTime: Number.isNaN(sentTime.getTime()) ? null : sentTime,
    userProperties: Object.fromEntries(userProperties),
    size,
    encoding: text === null ? "base64" : "text",
    message: text ?? head.toBase64(),
    ...(head.length < size ? { truncated: true } : {}),
  };
}

/** The body as text, indented where it is JSON, or as rows of bytes where it is no text. */
export function readBody(preview: MessagePreview): BodyText {
  const { head, size } = preview;
  if (size === 0) return { form: "empty", text: "", shown: 0 };
  const text = readText(preview);
  if (text === null) {
    const shown = Math.min(head.length, SHOWN_HEX_BYTES);
    return { form: "hex", text: hexRows(head.subarray(0, shown)), shown };
  }
  const indented = size === head.length ? indentJson(text) : null;
  return {
    form: indented === null ? "text" : "json",
    text: visibleText(indented ?? text.replaceAll("\r\n", "\n"), "\n\t"),
    shown: head.length,
  };
}

/** The beginning of the body for one line, not yet made visible: text, or bytes in hex. */
export function readBodyStart(preview: MessagePreview): string {
  return readText(preview) ?? hexBytes(preview.head.subarray(0, 2 * HEX_ROW));
}

/** A number of bytes as people say it. */
export function formatSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const power = bytes < 1024 ** 2 ? 1 : bytes < 1024 ** 3 ? 2 : 3;
  const amount = bytes / 1024 ** power;
  return `${amount.toFixed(amount < 10 ? 1 : 0)} ${["KiB", "MiB", "GiB"][power - 1]}`;
}

/** The text in the head, or `null` where the bytes are no UTF-8 or hold more than the odd control character. */
function readText({ head, size }: MessagePreview): string | null {
  try {
    // A character that the cut went through is waited for, not taken for an error.
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(head, { stream: size > head.length });
    const controls = text.match(/[^\P{Cc}\t\n\r]/gu)?.length ?? 0;
    return controls * 10 > text.length ? null : text;
  } catch {
    return null; // No UTF-8: the caller shows bytes.
  }
}

/** JSON objects and lists over several lines; every number stays as it was written. */
function indentJson(text: string): string | null {
  if (!/^\s*[[{]/.test(text)) return null;
  try {
    JSON.parse(text);
  } catch {
    return null; // Looks like JSON and is none: shown as it is.
  }
  let depth = 0;
  const line = (change: number) => `\n${"  ".repeat(Math.min(depth += change, MAX_INDENT))}`;
  return text.replace(
    /("(?:[^"\\]|\\.)*")|\s+|([[{])\s*([\]}])|([[{])|([\]}])|(,)|(:)/g,
    (found, string, open, close, opens, closes, comma, colon) => {
      if (string !== undefined) return string;
      if (open !== undefined) return open + close;
      if (opens !== undefined) return opens + line(1);
      if (closes !== undefined) return line(-1) + closes;
      if (comma !== undefined) return comma + line(0);
      return colon === undefined ? found.replace(/\s+/, "") : ": ";
    },
  );
}

/** Rows of sixteen bytes: offset, hex, and what of it is ASCII. */
export function hexRows(bytes: Uint8Array): string {
  const rows: string[] = [];
  const digits = bytes.length > 0x10000 ? 6 : 4;
  for (let at = 0; at < bytes.length; at += HEX_ROW) {
    const row = bytes.subarray(at, at + HEX_ROW);
    const ascii = Array.from(
      row,
      (byte) => byte > 31 && byte < 127 ? String.fromCharCode(byte) : ".",
    );
    rows.push(
      `${at.toString(16).padStart(digits, "0")}  ${hexBytes(row).padEnd(HEX_ROW * 3)} ${
        ascii.join("")
      }`,
    );
  }
  return rows.join("\n");
}

function hexBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
