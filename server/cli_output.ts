import { writeMessage } from "./api_messages.ts";
import type { MessageEnvelope } from "../mod.ts";
import { visibleLine } from "./visible_text.ts";

/** Thrown where nobody reads the output any more, as after `| head`. */
export class OutputClosedError extends Error {
  override readonly name = "OutputClosedError";
}

/** Writes results: JSON Lines for programs, one readable line each for a person. */
export class CliOutput {
  readonly #json: boolean;

  constructor(json: boolean) {
    this.#json = json;
  }

  /**
   * Writes one line; it has left this process when this resolves.
   *
   * @param value what a program reads
   * @param text what a person reads
   * @throws {OutputClosedError} where nobody reads any more
   */
  async write(value: unknown, text: string): Promise<void> {
    let bytes = new TextEncoder().encode(`${this.#json ? JSON.stringify(value) : text}\n`);
    try {
      while (bytes.length > 0) bytes = bytes.subarray(await Deno.stdout.write(bytes));
    } catch (cause) {
      if (cause instanceof Deno.errors.BrokenPipe) {
        throw new OutputClosedError("Cannot write: the output was closed", { cause });
      }
      throw cause;
    }
  }

  /** Writes one message, as the JSON API does. */
  writeMessage(envelope: MessageEnvelope): Promise<void> {
    return this.write(writeMessage(envelope), describe(envelope));
  }
}

/** What a message may contain must not steer the terminal: everything goes through `visibleLine`. */
function describe(envelope: MessageEnvelope): string {
  const { sentTime, messageType, topic, message } = envelope;
  const time = sentTime.toISOString().slice(11, 19);
  const body = envelope.getMessageAsString() ?? "";
  const size = message?.byteLength ?? 0;
  return `${time}  ${visibleLine(messageType ?? topic ?? "", 40)}  ${size} B  ${visibleLine(body)}`;
}
