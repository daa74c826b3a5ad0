// Takes messages, settles them in every way there is, and writes both down.
import type { MessageEnvelope } from "../../../mod.ts";
import { pseudoRandom } from "../../lib/pseudo_random.ts";
import { ANSWER_BOUND_MS, DECLINED, Part } from "./part.ts";

const WORKERS = 8;
const WAIT_MS = 1_000;
const RECEIVE_BOUND_MS = WAIT_MS + 10_000;
const SETTLE_BOUND_MS = 2_000;

const random = pseudoRandom((JSON.parse(Deno.args[0]) as { seed: number }).seed);
/** Messages whose settlement `listen` takes care of. */
const settling = new Set<string>();

await Part.run(
  async (part) => {
    const { queue, ledger, stopping, setting: { style } } = part;
    if (style === "listen") {
      queue.addEventListener("settle", ({ detail: { envelope: { messageId: id }, outcome } }) => {
        if (settling.delete(id) && outcome === "completed") ledger.write("completed", { id });
      });
      await queue.listen(null, (envelope) => handle(part, envelope), {
        concurrency: WORKERS,
        signal: stopping.signal,
      });
      return;
    }
    const work = style === "remove" ? remove : receive;
    await Promise.all(Array.from({ length: WORKERS }, () => work(part)));
  },
  {
    autoSubscribe: true,
    receiveMode: "peekLock",
    // No lock runs out by itself, so that a message that comes twice has no excuse.
    lockTimeout: 600_000,
    maxDeliveries: 1_000_000,
  },
);

/** Takes messages under a lock and settles them one way or another. */
async function receive(part: Part): Promise<void> {
  const { queue, ledger, stopping } = part;
  while (!stopping.signal.aborted) {
    const envelope = await next(part, "peekLock");
    if (envelope === null) continue;
    const { messageId: id } = envelope;
    ledger.write("received", { id });
    await work(part);
    try {
      const chance = random(100);
      if (chance < 2 || part.diesAt("second")) await bury(part, envelope);
      else if (chance < 8) {
        ledger.write("abandoned", { id });
        await queue.abandon(envelope, { delay: random(2) * 5 });
      } else {
        ledger.write("settling", { id });
        await ledger.bounded("complete", SETTLE_BOUND_MS, queue.complete(envelope));
        ledger.write("completed", { id });
      }
    } catch (error) {
      ledger.write("error", { id, what: String(error) });
    }
  }
}

/** Takes messages for good. This process is never killed: what it has taken is nobody else's. */
async function remove(part: Part): Promise<void> {
  while (!part.stopping.signal.aborted) {
    const envelope = await next(part, "receiveAndDelete");
    if (envelope === null) continue;
    const { messageId: id } = envelope;
    part.ledger.write("received", { id });
    part.ledger.write("completed", { id });
  }
}

/** What `listen` hands over: it completes what this resolves for, and abandons what it throws. */
async function handle(part: Part, envelope: MessageEnvelope): Promise<void> {
  const { messageId: id } = envelope;
  part.ledger.write("received", { id });
  await work(part);
  const chance = random(100);
  if (chance < 2 || part.diesAt("second")) await bury(part, envelope);
  else if (chance < 8) {
    part.ledger.write("abandoned", { id });
    throw new Error(DECLINED);
  } else {
    part.ledger.write("settling", { id });
    settling.add(id);
  }
}

async function next(
  { queue, ledger, stopping: { signal } }: Part,
  mode: "peekLock" | "receiveAndDelete",
) {
  try {
    const received = queue.receive(null, WAIT_MS, { mode, signal });
    return await ledger.bounded("receive", RECEIVE_BOUND_MS, received);
  } catch (error) {
    if (!signal.aborted) ledger.write("error", { what: `receive: ${error}` });
    return null;
  }
}

/** Gives a message up; where the copy is not confirmed it goes back. */
async function bury(part: Part, envelope: MessageEnvelope): Promise<void> {
  const { queue, ledger } = part;
  const { messageId: id } = envelope;
  const dies = part.diesAt("second");
  const burying = queue.moveToDeadLetter(envelope, { reason: "campaign" });
  if (dies) {
    burying.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, random(4)));
    part.freeze(); // Between the copy and its acknowledgement, or right behind it.
  }
  try {
    await ledger.bounded("moveToDeadLetter", ANSWER_BOUND_MS, burying);
    ledger.write("buried", { id });
  } catch (error) {
    ledger.write("abandoned", { id, what: String(error) });
    await queue.abandon(envelope);
  }
}

/** Some work takes a while, so that a process may die in the middle of it. */
async function work(part: Part): Promise<void> {
  if (part.diesAt("first")) part.freeze();
  const chance = random(100);
  if (chance < 10) await new Promise((resolve) => setTimeout(resolve, random(20)));
}
