import { createHash } from "node:crypto";

/** The shortest beginning of an id that may stand for it. */
const SHORTEST = 4;

/**
 * The word that names a message on a command line and in a link: its id, or `~` and a digest where a
 * foreign sender's id is too long or too odd for that.
 */
export function handleOf(messageId: string): string {
  return /^\w[\w.:-]{0,63}$/.test(messageId) ? messageId : `~${digest(messageId)}`;
}

/** What a person is shown of the handle: enough to type. */
export function shortHandle(messageId: string): string {
  return handleOf(messageId).slice(0, 8);
}

/**
 * Which of the ids the word names: one that it is exactly, else the one that begins with it.
 *
 * @returns `null` where there is none
 * @throws {RangeError} where several begin with it
 */
export function findHandle(word: string, ids: readonly string[]): string | null {
  const exact = ids.find((id) => id === word || handleOf(id) === word);
  if (exact !== undefined) return exact;
  if (word.length < SHORTEST) return null;
  const near = new Set(ids.filter((id) => handleOf(id).startsWith(word)));
  if (near.size > 1) {
    throw new RangeError(
      `Cannot tell which message is meant: ${near.size} ids begin with "${word}"`,
    );
  }
  return [...near][0] ?? null;
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
