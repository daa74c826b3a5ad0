import type { MessageDraft } from "./message_draft.ts";

const MAX_SAVED = 100;
const MAX_BYTES = 1024 * 1024;

/** Messages that were saved under a name, to be sent again. They last as long as the server runs. */
export class SavedMessages {
  readonly #drafts = new Map<string, MessageDraft>();

  /**
   * Saves a message, in the place of another of this name.
   *
   * @throws {SyntaxError} where the name is none
   * @throws {RangeError} where 100 are saved, or the message is larger than 1 MiB
   */
  put(name: string, draft: MessageDraft): void {
    if (!/^[\p{L}\p{N}][\p{L}\p{N}._-]{0,39}$/u.test(name)) {
      throw new SyntaxError(
        `Cannot save: a name of letters, digits, dots and dashes is needed, received "${name}"`,
      );
    }
    if (draft.body.length > MAX_BYTES) {
      throw new RangeError(`Cannot save: at most ${MAX_BYTES} bytes can be, received more`);
    }
    if (this.#drafts.size >= MAX_SAVED && !this.#drafts.has(name)) {
      throw new RangeError(`Cannot save: ${MAX_SAVED} messages are saved already`);
    }
    this.#drafts.set(name, draft);
  }

  /**
   * The message of this name.
   *
   * @throws {SyntaxError} where there is none
   */
  get(name: string): MessageDraft {
    const draft = this.#drafts.get(name);
    if (draft !== undefined) return draft;
    const known = this.names.map((each) => `@${each}`).join(", ");
    throw new SyntaxError(
      `Cannot send @${name}: nothing is saved under this name; ${
        known === "" ? "save name saves what was sent last" : `there are ${known}`
      }`,
    );
  }

  /** The names in order. */
  get names(): string[] {
    return [...this.#drafts.keys()].sort();
  }
}
