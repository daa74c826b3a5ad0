import { MessageEnvelope } from "../mod.ts";
import type { CliOptions } from "./cli_options.ts";

/** The messages that `send` was given: the words, the file, or one for each line of standard input. */
export async function* readMessages(
  { body, file, type, correlationId }: CliOptions,
): AsyncGenerator<MessageEnvelope> {
  const envelope = (message: string | Uint8Array) =>
    new MessageEnvelope(correlationId, type, message);
  if (body !== null) {
    yield envelope(body);
  } else if (file !== null) {
    yield envelope(await readFile(file));
  } else {
    if (Deno.stdin.isTerminal()) console.error("One message a line; Ctrl-D ends.");
    for await (const line of lines(Deno.stdin.readable)) yield envelope(line);
  }
}

/** The lines of a text, without their ends; the last one needs none. */
async function* lines(bytes: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of bytes.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) yield part.replace(/\r$/, "");
  }
  if (rest !== "") yield rest;
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
