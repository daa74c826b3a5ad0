// The npm component of the same name: `send` or `receive` one message, and say what came.
import { pipCommons, pipMessaging, pipMqtt } from "./deps.js";

const [action, port] = Deno.args;
const queue = new pipMqtt.MqttMessageQueue("peer");
queue.configure(pipCommons.ConfigParams.fromTuples(
  ...["topic", "peer", "client_id", "pip-peer"],
  ...["connection.protocol", "mqtt", "connection.host", "127.0.0.1", "connection.port", port],
  ...["options.qos", 1, "options.autosubscribe", true, "options.serialize_envelope", true],
));

const call = (start) =>
  new Promise((resolve, reject) =>
    start((error, result) => error ? reject(error) : resolve(result))
  );

await call((done) => queue.open("123", done));
console.log("open");
if (action === "send") {
  const envelope = new pipMessaging.MessageEnvelope("corr-1", "order", "ABC123 ✓");
  await call((done) => queue.send("123", envelope, done));
  console.log(JSON.stringify({ message_id: envelope.message_id }));
} else {
  const envelope = await call((done) => queue.receive("123", 10_000, done));
  console.log(JSON.stringify({
    message_id: envelope.message_id,
    correlation_id: envelope.correlation_id,
    message_type: envelope.message_type,
    text: envelope.getMessageAsString(),
  }));
}
await call((done) => queue.close("123", done));
Deno.exit();
