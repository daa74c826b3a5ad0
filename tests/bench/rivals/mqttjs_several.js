// As `programs/several.ts`, with MQTT.js as it is: two clients in the place of each queue.
import { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import process from "node:process";
import { severally } from "../programs/severally.js";
import { mqtt } from "./deps.js";

const { url, version, queues, count, window, size } = JSON.parse(process.argv[2]);
const body = Buffer.alloc(size, 97);
const clients = [];

async function connect() {
  const client = await mqtt.connectAsync(url, {
    protocolVersion: version,
    properties: version === 5 ? { receiveMaximum: 65_535 } : undefined,
  });
  clients.push(client);
  return client;
}

async function link() {
  const topic = `bench-${randomUUID()}`;
  const [sender, receiver] = await Promise.all([connect(), connect()]);
  let missing = 0;
  let resolveTaken = () => {};
  receiver.on("message", () => {
    if (--missing === 0) resolveTaken();
  });
  await receiver.subscribeAsync(topic, { qos: 1 });
  return {
    send: (done) => void sender.publish(topic, body, { qos: 1 }, done),
    take: (count) =>
      new Promise((resolve) => {
        missing = count;
        resolveTaken = resolve;
      }),
  };
}

const go = await connect();
const gone = new Promise((resolve) => go.once("message", resolve));
await go.subscribeAsync("go", { qos: 1 });
const links = await Promise.all(Array.from({ length: queues }, link));
await severally({ links, count, window, waitForGo: () => gone });
await Promise.all(clients.map((client) => client.endAsync()));
