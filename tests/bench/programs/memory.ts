// How much resident memory a held message takes: `subscribe` leaves a durable session behind, `hold` takes it up.
import { MqttMessageQueue } from "../../../mod.ts";
import { residentBytes } from "./resident_bytes.js";

const POLL_MS = 10;
const { url, version, topic, count, step } = JSON.parse(Deno.args[0]);
const queue = new MqttMessageQueue(topic, { url, protocolVersion: version, clientId: topic });
await queue.open();
if (step === "hold") {
  const before = residentBytes();
  await queue.readMessageCount();
  while (queue.stats().available < count) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  console.log(JSON.stringify({ bytes: (residentBytes() - before) / count }));
  await queue.clear();
} else await queue.readMessageCount();
await queue.close();
