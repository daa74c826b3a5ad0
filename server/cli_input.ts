import { MessageEnvelope } from "../mod.ts";
import type { CliOptions } from "./cli_options.ts";

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * The messages that `send` was given: the words, the file, or one for each line of standard input.
 *
 * @param signal ends the reading, and rejects with its reason
 */
export async function* readMessages(
  { body, file, type, correlationId }: CliOptions,
  signal: AbortSignal,
): AsyncGenerator<MessageEnvelope> {
  const envelope = (message: string | Uint8Array) =>
    new MessageEnvelope(correlationId, type, message);
  if (body !== null) {
    yield envelope(body);
  } else if (file !== null) {
    yield envelope(await readFile(file));
  } else {
    if (Deno.stdin.isTerminal()) console.error("One message a line; Ctrl-D ends.");
    // A pipe without work of its own: the way to give up a read that waits.
    const bytes = Deno.stdin.readable.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>(),
      { signal },
    );
    for await (const line of lines(bytes)) yield envelope(line);
  }
}

/** The lines of an input, without their ends; the last one needs none. Bytes that are no text stay as they are. */
async function* lines(input: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  for await (const chunk of input) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      const line = join([...parts, chunk.subarray(start, end)]);
      yield line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
      parts = [];
      start = end + 1;
    }
    if (start < chunk.length) parts.push(chunk.subarray(start));
  }
  if (parts.length > 0) yield join(parts);
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

async function readFile(path: string): Promise<Uint8Array> {
  try {
    return await Deno.readFile(path);
  } catch (cause) {
    const why = cause instanceof Deno.errors.NotFound
      ? "there is no such file"
      : cause instanceof Error
      ? cause.message
      : String(cause);
    throw new Error(`Cannot send: ${why}, received "${path}"`, { cause });
  }
}
