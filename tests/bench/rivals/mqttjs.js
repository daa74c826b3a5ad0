// MQTT.js as it is, in the benches' common loops: two clients, acknowledgements by themselves. Runs in
// Deno and in Node.
import { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import process from "node:process";
import { drive } from "../programs/drive.js";
import { mqtt } from "./deps.js";

const settings = JSON.parse(process.argv[2]);

/** @returns {import("../programs/drive.js").Link} */
function linkOf({ url, version, qos, size, properties }) {
  const topic = `bench-${randomUUID()}`;
  const body = Buffer.alloc(size, 97);
  const session = version === 5
    ? { receiveMaximum: 65_535, sessionExpiryInterval: 3600 }
    : undefined;
  let sender;
  let receiver;
  /** What came and was not taken yet. */
  let received = 0;
  let wanted = Infinity;
  let progress;
  let resolveTaken = () => {};
  let replyLinks = [];
  let replied = () => {};

  const connect = () => mqtt.connectAsync(url, { protocolVersion: version });
  const onMessage = () => {
    received++;
    progress?.(received);
    if (received >= wanted) resolveTaken();
  };
  const subscriber = () =>
    new Promise((resolve, reject) => {
      const client = mqtt.connect(url, {
        protocolVersion: version,
        clientId: topic,
        clean: false,
        properties: session,
      });
      client.on("message", onMessage); // What waited comes right behind the CONNACK.
      client.once("connect", () => resolve(client));
      client.once("error", reject);
    });
  const optionsOf = () => {
    if (!properties) return { qos };
    const userProperties = {
      message_id: randomUUID(),
      sent_time: new Date().toISOString(),
      message_type: "m",
    };
    return { qos, properties: { userProperties } };
  };
  const take = (count, onProgress) =>
    new Promise((resolve) => {
      wanted = count;
      progress = onProgress;
      resolveTaken = () => {
        received -= count;
        wanted = Infinity;
        progress = undefined;
        resolve(performance.now());
      };
      if (received >= count) resolveTaken();
    });

  return {
    async open() {
      [sender, receiver] = await Promise.all([connect(), subscriber()]);
      await receiver.subscribeAsync(topic, { qos });
    },
    close: () =>
      Promise.all([sender, receiver].map((client) => client.connected && client.endAsync())),
    send: (done) => void sender.publish(topic, body, optionsOf(), done),
    take,
    left: () => Promise.resolve(received),
    flush: () => sender.publishAsync(topic, body, { qos: 1 }),
    async trip() {
      const taken = take(1);
      const start = performance.now();
      const sent = new Promise((resolve) => sender.publish(topic, body, optionsOf(), resolve));
      const took = await taken - start;
      await sent;
      return took;
    },
    leave: () => receiver.endAsync(),
    async comeBack() {
      receiver = await subscriber();
    },
    async openReplies() {
      replyLinks = await Promise.all([connect(), connect(), connect(), connect()]);
      const [, answering, replying, waiting] = replyLinks;
      await answering.subscribeAsync(`${topic}/requests`, { qos });
      await waiting.subscribeAsync(`${topic}/replies`, { qos });
      answering.on("message", () => replying.publish(`${topic}/replies`, body, optionsOf()));
      waiting.on("message", () => replied(performance.now()));
    },
    async exchange() {
      const reply = new Promise((resolve) => replied = resolve);
      const start = performance.now();
      const sent = new Promise((resolve) =>
        replyLinks[0].publish(`${topic}/requests`, body, optionsOf(), resolve)
      );
      const took = await reply - start;
      await sent;
      return took;
    },
    closeReplies: () => Promise.all(replyLinks.map((client) => client.endAsync())),
  };
}

console.log(JSON.stringify(await drive(linkOf(settings), settings)));
