// Fills a durable session with 1 MiB messages, then holds what it may, measures, and drains it.
import { MessageEnvelope, MqttMessageQueue } from "../../../mod.ts";

const [url, version, count, step] = Deno.args;
const options = {
  url,
  protocolVersion: Number(version) as 4 | 5,
  clientId: "flooded",
  autoSubscribe: true,
  // Mosquitto is deaf to pings for many seconds, here and there, while it fills a socket that is not read.
  keepaliveTimeout: 20_000,
  sendTimeout: 60_000,
};
if (step === "fill") {
  await using queue = new MqttMessageQueue("flood", options);
  await queue.open();
  await queue.close();
  await using sender = new MqttMessageQueue("flood", {
    ...options,
    clientId: undefined,
    autoSubscribe: false,
    serializeEnvelope: false,
  });
  await sender.open();
  const body = new Uint8Array(1024 * 1024);
  for (let number = 0; number < Number(count); number++) {
    new DataView(body.buffer).setUint32(0, number);
    await sender.send(null, new MessageEnvelope(null, "block", body));
  }
} else {
  const states: string[] = [];
  await using queue = new MqttMessageQueue("flood", options);
  queue.addEventListener("statechange", ({ detail }) => states.push(detail.state));
  await queue.open();
  let residentBytes = 0;
  const measure = setInterval(() => {
    residentBytes = Math.max(residentBytes, Deno.memoryUsage().rss);
  }, 20);
  await new Promise((resolve) => setTimeout(resolve, 61_000)); // Three keepalive periods.
  const heldBytes = queue.stats().bufferedBytes;
  const sentAt = performance.now();
  await queue.send(null, new MessageEnvelope(null, "other", "through"), { topic: "elsewhere" });
  const sendMs = performance.now() - sentAt;
  const seen = new Set<number>();
  let received = 0;
  for (;;) {
    const message = await queue.receive(null, 2_000);
    if (message === null) break;
    received++;
    const { buffer, byteOffset } = message.message!;
    seen.add(new DataView(buffer, byteOffset).getUint32(0));
  }
  clearInterval(measure);
  const distinct = seen.size;
  console.log(JSON.stringify({ heldBytes, residentBytes, sendMs, received, distinct, states }));
}
