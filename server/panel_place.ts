import { handleOf } from "./message_handle.ts";

/** The ways in which a body can be looked at. */
export const BODY_VIEWS = ["text", "json", "hex", "base64"] as const;
export type BodyView = typeof BODY_VIEWS[number];

/** What the panel beside the scrollback shows. */
export type PanelPlace =
  | { kind: "messages"; max: number }
  | { kind: "dead" }
  /** `of`: whether it is looked for among the dead letters. */
  | { kind: "message"; id: string; view: BodyView | null; limit: number; of: "queue" | "dead" }
  /** `id`: the one dead letter, or `null` for all. */
  | { kind: "purge"; id: string | null };

/** How much of a body is shown at once, until more is asked for. */
export const FIRST_LIMIT = 16 * 1024;
export const LAST_LIMIT = 1024 * 1024;
export const MAX_PEEKED = 100;

/** The place of one message. */
export function messagePlace(messageId: string, of: "queue" | "dead" = "queue"): PanelPlace {
  return { kind: "message", id: handleOf(messageId), view: null, limit: FIRST_LIMIT, of };
}

/** The place as the query of a link. */
export function writePlace(topic: string, place: PanelPlace): string {
  const query = new URLSearchParams({ topic, panel: place.kind });
  if (place.kind === "messages") query.set("n", String(place.max));
  if (place.kind === "purge" && place.id !== null) query.set("id", place.id);
  if (place.kind === "message") {
    query.set("id", place.id);
    if (place.of === "dead") query.set("of", "dead");
    if (place.view !== null) query.set("view", place.view);
    if (place.limit !== FIRST_LIMIT) query.set("limit", String(place.limit));
  }
  return query.toString();
}

/** The place that the query of a link names, or `null`. */
export function readPlace(query: (name: string) => string | undefined): PanelPlace | null {
  const id = query("id") ?? null;
  switch (query("panel")) {
    case "messages":
      return { kind: "messages", max: whole(query("n"), 10, MAX_PEEKED) };
    case "dead":
      return { kind: "dead" };
    case "purge":
      return { kind: "purge", id };
    case "message":
      if (id === null) return null;
      return {
        kind: "message",
        id,
        view: BODY_VIEWS.find((view) => view === query("view")) ?? null,
        limit: whole(query("limit"), FIRST_LIMIT, LAST_LIMIT),
        of: query("of") === "dead" ? "dead" : "queue",
      };
    default:
      return null;
  }
}

function whole(text: string | undefined, missing: number, max: number): number {
  return /^\d{1,9}$/.test(text ?? "") ? Math.min(Math.max(1, Number(text)), max) : missing;
}
