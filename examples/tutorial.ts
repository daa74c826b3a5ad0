import { ConfigParams, MessageEnvelope, MqttMessageQueue } from "../mod.ts";

const queue = new MqttMessageQueue();
queue.configure(ConfigParams.fromTuples(
  "topic", "mytopic",
  "connection.protocol", "mqtt",
  "connection.host", "localhost",
  "connection.port", 1883,
  "options.autosubscribe", true,
  "options.serialize_envelope", true,
));
await queue.open("123");
await queue.send("123", new MessageEnvelope(null, "mymessage", "ABC1234"));
const message = await queue.receive("123", 10000);
console.log(message?.getMessageAsString());
await queue.close("123");
