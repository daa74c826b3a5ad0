/**
 * The shell: `deno task send`, `receive`, `peek`, `count`, `listen` and `dead`. Results go to standard
 * output, everything else to standard error, as one sentence.
 */

import { ConfigError } from "../mod.ts";
import { BrokerQueue } from "./broker_queue.ts";
import { dead } from "./cli_dead.ts";
import { count, peek } from "./cli_look.ts";
import { type CliCommand, type CliOptions, CliUsageError, readCliOptions } from "./cli_options.ts";
import { CliOutput, OutputClosedError } from "./cli_output.ts";
import type { CliQueue } from "./cli_queue.ts";
import { listen, receive } from "./cli_receive.ts";
import { type CliRun, EXIT } from "./cli_run.ts";
import { send } from "./cli_send.ts";
import { CLI_USAGE } from "./cli_usage.ts";
import { ServerQueue, ServerRefusedError } from "./server_queue.ts";
import { withoutCredentials } from "./shown_value.ts";

const STOP_SIGNALS: Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM"];

const COMMANDS: Record<CliCommand, (run: CliRun) => Promise<number>> = {
  send,
  receive,
  peek,
  count,
  listen,
  dead,
};

/** `deno task` passes on the signal that the terminal has sent already: one Ctrl-C, two signals. */
const SAME_SIGNAL_MS = 500;

/**
 * Runs one command. The first Ctrl-C ends it in good order, the next at once.
 *
 * @returns the exit code, see {@linkcode EXIT}
 */
export async function runCli(args: readonly string[]): Promise<number> {
  const interrupt = new AbortController();
  let interruptedAt = Infinity;
  const onSignal = () => {
    if (performance.now() - interruptedAt > SAME_SIGNAL_MS) Deno.exit(EXIT.interrupted);
    interruptedAt = Math.min(interruptedAt, performance.now());
    interrupt.abort();
  };
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
    console.error(withoutCredentials(error instanceof Error ? error.message : String(error)));
    if (error instanceof CliUsageError) console.error("See --help.");
    return isUsageError(error) ? EXIT.usage : EXIT.failed;
  } finally {
    for (const signal of STOP_SIGNALS) Deno.removeSignalListener(signal, onSignal);
  }
}

async function runCommand(options: CliOptions, signal: AbortSignal): Promise<number> {
  const output = new CliOutput(options.json || !Deno.stdout.isTerminal(), signal);
  await using queue = await openQueue(options, output, signal);
  const code = await COMMANDS[options.command]({ options, queue, output, signal });
  if (code === EXIT.nothing) output.hint("Nothing there.");
  return code;
}

async function openQueue(
  { command, target }: CliOptions,
  output: CliOutput,
  signal: AbortSignal,
): Promise<CliQueue> {
  if ("server" in target) return await ServerQueue.open(target.server, signal);
  return await BrokerQueue.open(target.broker, {
    receives: command !== "send" && command !== "dead",
    signal,
    onNotice: (text) => output.tell(text),
  });
}

/** The library refuses a topic or an option that it cannot use with the errors of the language. */
function isUsageError(error: unknown): boolean {
  return error instanceof CliUsageError || error instanceof ConfigError ||
    error instanceof TypeError || error instanceof RangeError ||
    (error instanceof ServerRefusedError && error.status === 400);
}

if (import.meta.main) Deno.exit(await runCli(Deno.args));
