import type { HeldMessage } from "./cli_queue.ts";
import { type CliRun, EXIT } from "./cli_run.ts";

/** A third of the lock: a reader may take its time, as a pager does. */
const RENEW_EVERY_MS = 10_000;

/** Takes messages, up to a count or until none came in time. */
export async function receive(run: CliRun): Promise<number> {
  const { options: { count, timeoutMs }, queue } = run;
  const deadline = Date.now() + timeoutMs;
  let received = 0;
  using _progress = count > 1
    ? run.output.showProgress(() => `${received} of ${count} received`)
    : null;
  while (received < count) {
    const held = await queue.receive(Math.max(0, deadline - Date.now()));
    if (held === null) break;
    await handOver(held, run);
    received++;
  }
  return received > 0 ? EXIT.done : EXIT.nothing;
}

/** Takes every message as it comes, until the count or the time is reached; without a count Ctrl-C is its end. */
export async function listen(run: CliRun): Promise<number> {
  const { options: { count, timeoutMs }, queue, output, signal } = run;
  const deadline = Date.now() + timeoutMs;
  let received = 0;
  output.hint(`Listening on "${queue.topic}"; Ctrl-C ends.`);
  using _progress = output.showProgress(() =>
    count === Infinity ? `${received} received` : `${received} of ${count} received`
  );
  try {
    for (let left = timeoutMs; received < count && left > 0; left = deadline - Date.now()) {
      const held = await queue.receive(left);
      if (held === null) break;
      await handOver(held, run);
      received++;
    }
  } catch (error) {
    if (error !== signal.reason || !signal.aborted || count !== Infinity) throw error;
    return EXIT.done;
  }
  return received > 0 ? EXIT.done : EXIT.nothing;
}

/** Completes a message when its line has been written, and gives it back where that fails. */
async function handOver(held: HeldMessage, { output }: CliRun): Promise<void> {
  const renewal = setInterval(() => {
    held.renew().catch(() => {}); // The lock is lost; completing will say so.
  }, RENEW_EVERY_MS);
  try {
    // The line is about a message that is no longer locked when somebody reads it.
    await output.writeMessage({ ...held.message, lockedUntil: null });
  } catch (error) {
    await held.abandon().catch(() => {}); // Its lock will run out; why the line failed matters more.
    throw error;
  } finally {
    clearInterval(renewal);
  }
  await held.complete();
}
