import type { MessageEnvelope } from "../mod.ts";
import { html, raw } from "./deps.ts";
import type { Html } from "./live_feed.ts";
import { type PanelPlace, writePlace } from "./panel_place.ts";

/** Every form that runs a command: by htmx where it is there, by the browser where it is not. */
export const COMMAND_FORM = raw(
  'method="post" action="/command" hx-post="/command" hx-swap="none" hx-sync="this:queue all"',
);
const LINK = raw('hx-target="#panel" hx-swap="innerHTML"');

/** The parts of a message that can be copied. */
export type CopiedPart = "text" | "hex" | "base64" | "properties" | "command" | "file";

/** A button that runs a command and shows which in its title. The form around it says where. */
export function commandButton(line: string, label: string, tone = ""): Html {
  return html`
    <button name="line" value="${line}" title="${line}"
      class="small ${tone}">${label}</button>
  `;
}

/** A link to another place of the panel. */
export function panelLink(topic: string, place: PanelPlace, label: string, current = false): Html {
  const query = writePlace(topic, place);
  return html`<a href="/?${query}" hx-get="/panel?${query}" ${LINK} ${
    current ? raw('aria-current="true"') : ""
  }>${label}</a>`;
}

/** Copies a part of a message; without JavaScript it opens it. */
export function copyLink(topic: string, place: PanelPlace, part: CopiedPart): Html {
  const href = `/part?${writePlace(topic, place)}&as=${part}`;
  if (part === "file") return html`<a href="${href}" download>save as file</a>`;
  return html`<a href="${href}" data-copy-from>${part}</a>`;
}

/** How long ago, for the eye, and the whole time for everything else. */
export function ageView(time: Date, behind = "", now = Date.now()): Html {
  if (Number.isNaN(time.getTime())) return html`<span>unknown</span>`;
  return html`<time datetime="${time.toISOString()}" title="${time.toISOString()}">${`${
    formatAge(now - time.getTime())
  }${behind}`}</time>`;
}

/** How long the lock still holds; the page counts it down. */
export function lockView({ lockedUntil }: MessageEnvelope, now = Date.now()): Html {
  const until = Number(lockedUntil);
  const left = Math.max(0, Math.ceil((until - now) / 1000));
  return html`<span class="badge lock">locked, <span data-left="${
    Math.max(0, until - now)
  }">${left}</span> s left</span>`;
}

/** A duration as people say it. */
export function formatAge(ms: number): string {
  const seconds = Math.round(Math.max(0, ms) / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}
