import { parseCommandLine } from "./command_line.ts";
import { DRAFT_FLAGS, type MessageDraft, readDraft, writeDraft } from "./message_draft.ts";

const MAX_SAVED = 100;
/** Of all together, so that a browser has room for a copy. */
const MAX_CHARACTERS = 1024 * 1024;

/** Everything that is saved, as a browser keeps it. */
export interface SavedCopy {
  /** Of this life of the server: a copy from another one is what a browser kept for us. */
  life: string;
  /** By name, the line that would send the message. */
  lines: Record<string, string>;
}

/**
 * Messages that were saved under a name, to be sent again. They last as long as the server runs;
 * browsers keep a copy, and bring it back to a server that was started anew.
 */
export class SavedMessages {
  readonly #life = crypto.randomUUID().slice(0, 8);
  readonly #lines = new Map<string, string>();
  #changes = 0;

  /**
   * Saves a message, in the place of another of this name.
   *
   * @throws {SyntaxError} where the name is none
   * @throws {RangeError} where 100 are saved, or all together would be longer than 1 Mi characters
   */
  put(name: string, draft: MessageDraft): void {
    if (!/^[\p{L}\p{N}][\p{L}\p{N}._-]{0,39}$/u.test(name)) {
      throw new SyntaxError(
        `Cannot save: a name of letters, digits, dots and dashes is needed, received "${name}"`,
      );
    }
    const line = writeDraft(draft);
    const others = this.#lengthWithout(name);
    if (others + line.length > MAX_CHARACTERS) {
      throw new RangeError(
        `Cannot save: ${MAX_CHARACTERS} characters may be saved together, ${others} are and ${line.length} more were received`,
      );
    }
    if (this.#lines.size >= MAX_SAVED && !this.#lines.has(name)) {
      throw new RangeError(`Cannot save: ${MAX_SAVED} messages are saved already`);
    }
    this.#lines.set(name, line);
    this.#changes++;
  }

  /**
   * The message of this name.
   *
   * @throws {SyntaxError} where there is none
   */
  get(name: string): MessageDraft {
    const line = this.#lines.get(name);
    if (line !== undefined) return draftIn(line);
    throw new SyntaxError(`Cannot send @${name}: ${this.#nothingThere()}`);
  }

  /**
   * Lets go of the message of this name.
   *
   * @throws {SyntaxError} where there is none
   */
  remove(name: string): void {
    if (!this.#lines.delete(name)) {
      throw new SyntaxError(`Cannot forget ${name}: ${this.#nothingThere()}`);
    }
    this.#changes++;
  }

  /**
   * Takes what a browser kept from a former life. What stands under a name here stays; what is no
   * saved message, or finds no room, is left out.
   */
  restore(lines: Record<string, unknown>): void {
    for (const [name, line] of Object.entries(lines)) {
      if (this.#lines.has(name) || typeof line !== "string") continue;
      try {
        this.put(name, draftIn(line));
      } catch (error) {
        // The copy is the browser's word. Whoever changed it there gets what of it can be used.
        if (!(error instanceof SyntaxError || error instanceof RangeError)) throw error;
      }
    }
  }

  /** Everything, for a browser to keep. */
  copy(): SavedCopy {
    return { life: this.#life, lines: Object.fromEntries(this.#lines) };
  }

  /** Changed with each change, and with each life of the server. */
  get version(): string {
    return `${this.#life}.${this.#changes}`;
  }

  /** The names in order. */
  get names(): string[] {
    return [...this.#lines.keys()].sort();
  }

  /** Names and lines in order. */
  get entries(): [string, string][] {
    return this.names.map((name) => [name, this.#lines.get(name) ?? ""]);
  }

  #lengthWithout(name: string): number {
    let length = 0;
    for (const [each, line] of this.#lines) if (each !== name) length += line.length;
    return length;
  }

  #nothingThere(): string {
    const known = this.names.map((each) => `@${each}`).join(", ");
    return `nothing is saved under this name; ${
      known === "" ? "save name saves what was sent last" : `there are ${known}`
    }`;
  }
}

function draftIn(line: string): MessageDraft {
  return readDraft(parseCommandLine(line, DRAFT_FLAGS));
}
