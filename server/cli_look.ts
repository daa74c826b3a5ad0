import { type CliRun, EXIT } from "./cli_run.ts";

/** Shows messages and leaves them. */
export async function peek({ options, queue, output }: CliRun): Promise<number> {
  const messages = await queue.peek(options.count);
  for (const message of messages) await output.writeMessage(message);
  return messages.length > 0 ? EXIT.done : EXIT.nothing;
}

/** Tells how many messages there are; none is an answer too. */
export async function count({ queue, output }: CliRun): Promise<number> {
  const count = await queue.count();
  await output.write({ count }, `${count}`);
  return EXIT.done;
}
