import { TimeoutError } from "./errors.ts";

/** Whether the work settled within `ms`; rejects where it rejects in time. The work goes on. */
export async function settledWithin(ms: number, work: Promise<unknown>): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, ms, false);
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Waits for what the broker is asked, for a bounded time.
 *
 * @param action what was asked, such as `Cannot subscribe to "orders"`
 * @throws {TimeoutError} where it does not answer
 */
export async function answeredWithin(
  milliseconds: number,
  asked: Promise<unknown>,
  action: string,
): Promise<void> {
  if (await settledWithin(milliseconds, asked)) return;
  throw new TimeoutError(`${action}: no answer within ${milliseconds} ms`, milliseconds);
}
