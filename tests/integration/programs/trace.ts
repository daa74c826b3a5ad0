// Sends and receives under an SDK (OTEL_DENO=true); the console exporter prints the spans.
import { MessageEnvelope, MqttMessageQueue } from "../../../mod.ts";

const [url, version] = Deno.args;
const queue = new MqttMessageQueue("traced", {
  url,
  protocolVersion: Number(version) as 4 | 5,
  autoSubscribe: true,
});
await queue.open();
await queue.send("corr", new MessageEnvelope(null, "order", "1"));
const received = await queue.receive(null, 10_000);
console.log(`traceparent ${received?.userProperties.traceparent}`);
const done = Promise.withResolvers<void>();
queue.beginListen(null, () => done.resolve());
await queue.send("corr", new MessageEnvelope(null, "order", "2"));
await done.promise;
await queue.close();
