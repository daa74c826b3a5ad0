import { type ApiDeadLetter, type ApiMessage, bodyOf } from "./api_messages.ts";
import { ProgressLine } from "./progress_line.ts";
import { visibleLine } from "./visible_text.ts";

/** How long a reader who has stopped reading can delay Ctrl-C. */
const STALLED_MS = 500;

/** Thrown where nobody reads the output any more, as after `| head`. */
export class OutputClosedError extends Error {
  override readonly name = "OutputClosedError";
}

/**
 * Writes results to standard output: JSON Lines for programs, one readable line each for a person.
 * Everything else goes to standard error.
 */
export class CliOutput {
  readonly #json: boolean;
  #progress: ProgressLine | null = null;
  #giveUp: ((reason: unknown) => void) | null = null;

  /** @param signal ends a write that nobody reads */
  constructor(json: boolean, signal?: AbortSignal) {
    this.#json = json;
    signal?.addEventListener("abort", () => {
      setTimeout(() => this.#giveUp?.(signal.reason), STALLED_MS);
    }, { once: true });
  }

  /**
   * Writes one line; it has left this process when this resolves.
   *
   * @param value what a program reads
   * @param text what a person reads
   * @throws {OutputClosedError} where nobody reads any more
   */
  async write(value: unknown, text: string): Promise<void> {
    const line = `${this.#json ? JSON.stringify(value) : text}\n`;
    if (Deno.stdout.isTerminal()) this.#progress?.hide();
    const stalled = Promise.withResolvers<never>();
    this.#giveUp = stalled.reject;
    try {
      await Promise.race([writeAll(new TextEncoder().encode(line)), stalled.promise]);
    } catch (cause) {
      if (cause instanceof Deno.errors.BrokenPipe) {
        throw new OutputClosedError("Cannot write: the output was closed", { cause });
      }
      throw cause;
    } finally {
      this.#giveUp = null;
    }
  }

  /** Writes one message, as the JSON API does. */
  async writeMessage(message: ApiMessage): Promise<void> {
    const { sentTime, messageType, topic } = message;
    const name = visibleLine(messageType ?? topic ?? "", 40);
    await this.write(message, `${timeOfDay(sentTime)}  ${name}  ${describeBody(message)}`);
  }

  /** Writes one dead letter, as the JSON API does. */
  async writeDeadLetter(letter: ApiDeadLetter): Promise<void> {
    const { time, messageId, reason } = letter;
    const name = `${visibleLine(messageId)}  ${visibleLine(reason, 40)}`;
    await this.write(letter, `${timeOfDay(time)}  ${name}  ${describeBody(letter)}`);
  }

  /** Tells something beside the results. */
  tell(text: string): void {
    this.#progress?.hide();
    console.error(text);
  }

  /** Tells something that helps a person and is noise in a log. */
  hint(text: string): void {
    if (Deno.stderr.isTerminal()) this.tell(text);
  }

  /** Shows how far the work is, on a terminal only, until it is disposed. */
  showProgress(text: () => string): Disposable {
    if (!Deno.stderr.isTerminal() || Deno.env.get("TERM") === "dumb") {
      return { [Symbol.dispose]: () => {} };
    }
    return this.#progress = new ProgressLine(text);
  }
}

async function writeAll(bytes: Uint8Array): Promise<void> {
  while (bytes.length > 0) bytes = bytes.subarray(await Deno.stdout.write(bytes));
}

/** What a message may contain must not steer the terminal: everything goes through `visibleLine`. */
function describeBody(message: ApiMessage): string {
  const body = bodyOf(message);
  return `${body.length} B  ${visibleLine(new TextDecoder().decode(body))}`;
}

function timeOfDay(time: string | null): string {
  return time?.slice(11, 19) ?? "--:--:--";
}
