/**
 * The shell: `deno task send`, `receive`, `peek` and `count`. Results go to standard output, everything else to standard
 * error, as one sentence.
 */

import { createHash } from "node:crypto";
import { ConfigError, MqttMessageQueue } from "../mod.ts";
import { readMessages } from "./cli_input.ts";
import { CLI_USAGE, type CliOptions, CliUsageError, readCliOptions } from "./cli_options.ts";
import { CliOutput, OutputClosedError } from "./cli_output.ts";

/** The exit codes of the shell. */
export const EXIT = { done: 0, failed: 1, usage: 2, nothing: 3, interrupted: 130 } as const;

const SEND_WINDOW = 1000;
const STOP_SIGNALS: Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM"];

/** A command under way. */
interface Run {
  options: CliOptions;
  queue: MqttMessageQueue;
  output: CliOutput;
  signal: AbortSignal;
}

/**
 * Runs one command.
 *
 * @returns the exit code, see {@linkcode EXIT}
 */
export async function runCli(args: readonly string[]): Promise<number> {
  const interrupt = new AbortController();
  const onSignal = () => interrupt.abort();
  for (const signal of STOP_SIGNALS) Deno.addSignalListener(signal, onSignal);
  try {
    const options = readCliOptions(args, (name) => Deno.env.get(name));
    if (options === null) {
      await new CliOutput(false).write(null, CLI_USAGE.trimEnd());
      return EXIT.done;
    }
    return await runCommand(options, interrupt.signal);
  } catch (error) {
    if (interrupt.signal.aborted) return EXIT.interrupted;
    if (error instanceof OutputClosedError) return EXIT.done;
    console.error(error instanceof Error ? error.message : String(error));
    if (error instanceof CliUsageError) console.error("See --help.");
    return isUsageError(error) ? EXIT.usage : EXIT.failed;
  } finally {
    for (const signal of STOP_SIGNALS) Deno.removeSignalListener(signal, onSignal);
  }
}

async function runCommand(options: CliOptions, signal: AbortSignal): Promise<number> {
  const { command, broker, username, password, topic, qos } = options;
  await using queue = new MqttMessageQueue(topic, {
    url: broker,
    qos,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    // Who only sends needs no session, and must not take over the one of a shell that receives.
    ...(command === "send" ? {} : { clientId: options.clientId ?? ownClientId(topic) }),
  });
  await queue.open(null, { signal });
  const output = new CliOutput(options.json || !Deno.stdout.isTerminal());
  const run = { options, queue, output, signal };
  if (command === "send") return await send(run);
  if (command === "receive") return await receive(run);
  if (command === "peek") return await peek(run);
  return await count(run);
}

/** Sends with many on the way at once, and tells each message when the broker has it, in their order. */
async function send({ options, queue, output, signal }: Run): Promise<number> {
  const pending: Promise<string>[] = [];
  let sent = 0;
  const confirm = async () => {
    const messageId = await pending.shift();
    sent++;
    await output.write({ messageId, topic: options.topic }, `Sent ${messageId}`);
  };
  try {
    for await (const envelope of readMessages(options)) {
      signal.throwIfAborted();
      pending.push(queue.send(null, envelope, { signal }).then(() => envelope.messageId));
      if (pending.length >= SEND_WINDOW) await confirm();
    }
    while (pending.length > 0) await confirm();
  } finally {
    // The first failure is told; the others behind it have the same cause.
    await Promise.allSettled(pending);
  }
  return sent > 0 ? EXIT.done : EXIT.nothing;
}

/** Takes messages under the lock: one that could not be written stays in the queue. */
async function receive({ options, queue, output, signal }: Run): Promise<number> {
  const deadline = Date.now() + options.timeoutMs;
  let received = 0;
  while (received < options.count) {
    const wait = Math.max(0, deadline - Date.now());
    const envelope = await queue.receive(null, wait, { signal, mode: "peekLock" });
    if (envelope === null) break;
    await output.writeMessage(envelope);
    await queue.complete(envelope);
    received++;
  }
  if (received > 0) return EXIT.done;
  assertConnected(queue);
  return EXIT.nothing;
}

async function peek({ options, queue, output, signal }: Run): Promise<number> {
  const envelopes = await queue.peekBatch(null, options.count, { signal });
  for (const envelope of envelopes) await output.writeMessage(envelope);
  return envelopes.length > 0 ? EXIT.done : EXIT.nothing;
}

async function count({ queue, output }: Run): Promise<number> {
  const count = await queue.readMessageCount();
  await output.write({ count }, `${count}`);
  return EXIT.done;
}

/** Nothing came, but is nothing there? */
function assertConnected(queue: MqttMessageQueue): void {
  if (queue.state !== "connected") {
    throw new Error("Cannot receive: the link to the broker was lost");
  }
}

/** Stable, so that the session is found again; apart for each user, machine and topic; no character that a broker refuses. */
function ownClientId(topic: string): string {
  const { get } = Deno.env;
  const user = get("USER") ?? get("LOGNAME") ?? get("USERNAME") ?? "user";
  const hash = createHash("sha256").update(topic).digest("hex").slice(0, 8);
  return `shell-${user}-${Deno.hostname()}-${hash}`.replace(/[^\w.-]/g, "_");
}

/** The library refuses a topic or an option that it cannot use with the errors of the language. */
function isUsageError(error: unknown): boolean {
  return error instanceof CliUsageError || error instanceof ConfigError ||
    error instanceof TypeError || error instanceof RangeError;
}

if (import.meta.main) Deno.exit(await runCli(Deno.args));
