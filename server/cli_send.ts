import type { MessageEnvelope } from "../mod.ts";
import { readMessages } from "./cli_input.ts";
import { OutputClosedError } from "./cli_output.ts";
import { type CliRun, EXIT } from "./cli_run.ts";

/**
 * Sends with many on the way at once, and tells each message when the broker has it, in their order.
 * The first that fails ends it.
 */
export async function send({ options, queue, output, signal }: CliRun): Promise<number> {
  const failure = new AbortController();
  const ended = AbortSignal.any([signal, failure.signal]);
  const told: Promise<void>[] = [];
  let last = Promise.resolve();
  let sent = 0;

  const sendOne = async (envelope: MessageEnvelope, before: Promise<void>) => {
    const [messageId] = await Promise.all([queue.send(envelope), before]);
    sent++;
    const line = output.write({ messageId, topic: queue.topic }, `Sent ${messageId}`);
    await line.catch((error) => {
      // Nobody reads the receipts; the messages are to be sent all the same.
      if (!(error instanceof OutputClosedError)) throw error;
    });
  };

  const many = options.body === null && options.file === null && !Deno.stdin.isTerminal();
  using _progress = many ? output.showProgress(() => `${sent} sent`) : null;
  try {
    for await (const envelope of readMessages(options, ended)) {
      ended.throwIfAborted();
      last = sendOne(envelope, last);
      last.catch((error) => failure.abort(error));
      told.push(last);
      if (told.length >= queue.sendWindow) await told.shift();
    }
    await last;
  } finally {
    // The first failure is told; the others behind it have the same cause.
    await Promise.allSettled(told);
  }
  return sent > 0 ? EXIT.done : EXIT.nothing;
}
