// The npm component of the same name in the benches' common loops. It has one link for both directions, opens
// only where it subscribes, keeps no durable session, and publishes to its name though it subscribes to its topic.
import { randomUUID } from "node:crypto";
import process from "node:process";
import { pipCommons, pipMessaging, pipMqtt } from "../../peers/deps.js";
import { drive } from "../programs/drive.js";

const WAIT_MS = 10_000;
const settings = JSON.parse(process.argv[2]);

const call = (start) =>
  new Promise((resolve, reject) =>
    start((error, result) => error ? reject(error) : resolve(result))
  );

/** @returns {import("../programs/drive.js").Link} */
function linkOf({ url, qos, size }) {
  const name = `bench-${randomUUID()}`;
  const { hostname, port } = new URL(url);
  const body = "a".repeat(size);
  const make = (topic) => {
    const queue = new pipMqtt.MqttMessageQueue(name);
    queue.configure(pipCommons.ConfigParams.fromTuples(
      ...["topic", topic, "client_id", topic, "options.keepalive_timeout", 60_000],
      ...["connection.protocol", "mqtt", "connection.host", hostname, "connection.port", port],
      ...["options.qos", qos, "options.autosubscribe", true, "options.serialize_envelope", true],
    ));
    return queue;
  };
  const queue = make(name);
  const alone = make(`${name}-elsewhere`);
  let sender = queue;
  const envelope = () => new pipMessaging.MessageEnvelope(null, "m", body);
  const receive = () => call((done) => queue.receive(null, WAIT_MS, done));

  return {
    open: () => call((done) => queue.open(null, done)),
    async close() {
      await call((done) => sender.close(null, done));
    },
    send: (done) => sender.send(null, envelope(), done),
    async take(count, progress) {
      for (let taken = 0; taken < count; progress?.(taken)) {
        if (await receive() == null) throw new Error(`Cannot measure: ${taken} of ${count} came`);
        taken++;
      }
    },
    flush: () => Promise.resolve(),
    left: () => call((done) => queue.readMessageCount(done)),
    async trip() {
      const waiting = receive();
      const start = performance.now();
      const sent = call((done) => queue.send(null, envelope(), done));
      await waiting;
      const took = performance.now() - start;
      await sent;
      return took;
    },
    async leave() {
      await call((done) => queue.close(null, done));
      await call((done) => alone.open(null, done));
      sender = alone;
    },
  };
}

console.log(JSON.stringify(await drive(linkOf(settings), settings)));
process.exit(0);
