import { html } from "./deps.ts";
import type { Html } from "./live_feed.ts";
import { visibleLine, visibleText } from "./visible_text.ts";

const MAX_NODES = 2000;
const MAX_DEPTH = 64;
const OPEN_DEPTH = 3;
const MAX_TEXT = 10_000;

/** A number as it was written: JavaScript's own would lose digits. */
class WrittenNumber {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }
}

type Reviver = (key: string, value: unknown, context?: { source?: string }) => unknown;

/** The JSON value of the text as a tree that opens and closes, or `null` where it is none. */
export function jsonTree(text: string): Html | null {
  const reviver: Reviver = (_key, value, context) =>
    typeof value === "number" ? new WrittenNumber(context?.source ?? String(value)) : value;
  let value: unknown;
  try {
    value = JSON.parse(text, reviver);
  } catch {
    return null; // No JSON, or nested deeper than the parser goes.
  }
  return html`<div class="tree">${node(null, value, 0, { nodes: MAX_NODES })}</div>`;
}

function node(key: string | null, value: unknown, depth: number, left: { nodes: number }): Html {
  left.nodes--;
  const name = key === null ? "" : html`
    <b><bdi>${visibleLine(key, 120)}</bdi></b>
  `;
  if (typeof value !== "object" || value === null || value instanceof WrittenNumber) {
    return html`<div class="leaf">${name}${scalar(value)}</div>`;
  }
  const isList = Array.isArray(value);
  const entries = Object.entries(value);
  const size = isList ? `[${entries.length}]` : `{${entries.length}}`;
  if (entries.length === 0) {
    return html`<div class="leaf">${name}<i>${isList ? "[]" : "{}"}</i></div>`;
  }
  if (depth >= MAX_DEPTH) {
    return html`<div class="leaf">${name}<i>${size} too deep to show</i></div>`;
  }
  const children: Html[] = [];
  for (const [childKey, child] of entries) {
    if (left.nodes <= 0) {
      const rest = entries.length - children.length;
      children.push(html`<div class="leaf"><i>${rest} more are not shown</i></div>`);
      break;
    }
    children.push(node(childKey, child, depth + 1, left));
  }
  const inside = html`
    <summary>${name}<i>${size}</i></summary>
    <div>${children}</div>
  `;
  return depth < OPEN_DEPTH
    ? html`<details open>${inside}</details>`
    : html`<details>${inside}</details>`;
}

function scalar(value: unknown): Html {
  if (value instanceof WrittenNumber) {
    return html`<span class="number">${value.source.slice(0, MAX_TEXT)}</span>`;
  }
  if (typeof value === "string") {
    const short = value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value;
    return html`<span class="string" dir="auto">"${visibleText(short, "\n\t")}"</span>`;
  }
  return html`<span class="word">${String(value)}</span>`;
}
