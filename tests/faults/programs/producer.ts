// Sends at a steady rate, whatever happens, and writes down what was taken.
import { MessageEnvelope } from "../../../mod.ts";
import { pseudoRandom } from "../../lib/pseudo_random.ts";
import { ANSWER_BOUND_MS, Part } from "./part.ts";

const TICK_MS = 10;
const MAX_OUTSTANDING = 256;
/** Long enough to be cut in two on its way. */
const LARGE = "x".repeat(20_000);

await Part.run(async (part) => {
  const { ledger, queue, stopping, setting: { clientId, topics, rate, seed } } = part;
  const random = pseudoRandom(seed);
  const outstanding = new Set<Promise<void>>();
  const startedAt = Date.now();
  let number = 0;

  const send = async () => {
    const topic = topics[number % topics.length];
    // The same body each time: whoever mixes two messages up cannot tell them by their payload.
    const envelope = new MessageEnvelope(null, "job", random(100) < 3 ? LARGE : "job");
    const id = envelope.messageId = `${clientId}/${seed}/${number++}`;
    ledger.write("sending", { id });
    try {
      await ledger.bounded("send", ANSWER_BOUND_MS, queue.send(null, envelope, { topic }));
      ledger.write("sent", { id });
    } catch (error) {
      ledger.write("failed", { id, what: String(error) });
    }
  };
  while (!stopping.signal.aborted) {
    const due = (Date.now() - startedAt) * rate / 1_000;
    while (number < due && outstanding.size < MAX_OUTSTANDING) {
      const sending = send();
      outstanding.add(sending);
      sending.finally(() => outstanding.delete(sending));
      if (part.diesAt("first")) {
        await new Promise((resolve) => setTimeout(resolve, random(3)));
        part.freeze();
      }
    }
    if (part.diesAt("second")) part.freeze(); // Half of a batch is with the broker.
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  await Promise.all(outstanding);
});
