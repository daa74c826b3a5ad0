import assert from "node:assert/strict";
import {
  ConnectionError,
  MessageEnvelope,
  MqttMessageQueue,
  NotSupportedError,
  type QueueEvents,
  type QueueOptions,
  TimeoutError,
} from "../../mod.ts";
import type { mqttPacket } from "../deps.ts";
import { FakeBroker } from "../support/fake_broker.ts";
import { Mosquitto } from "../support/mosquitto.ts";
import { queueEvent } from "../support/queue_event.ts";
import { FaultyNetwork } from "./faulty_network.ts";
import { type ConnackProperties, obedientReply } from "./obedient_reply.ts";

const WAIT_MS = 10_000;

function queueAt(url: string, options: QueueOptions = {}): MqttMessageQueue {
  return new MqttMessageQueue("faults", {
    ...{ url, protocolVersion: 5, autoSubscribe: true, reconnectTimeout: 5, sendTimeout: WAIT_MS },
    ...options,
  });
}

function text(body: string): MessageEnvelope {
  return new MessageEnvelope(null, "job", body);
}

/** The next time that the link is up again after it was lost. */
function relinked(queue: MqttMessageQueue): Promise<QueueEvents["statechange"]> {
  return queueEvent(
    queue,
    "statechange",
    ({ state, previous }) => state === "connected" && previous === "reconnecting",
  );
}

/** Every DISCONNECT that a broker may send ([MQTT-3.14.2.1]), but the one that says that the session is another's. */
const DISCONNECTS = [
  ...[0, 4, 128, 129, 130, 131, 135, 137, 139, 141, 143, 144, 147, 148, 149, 150, 151, 152],
  ...[153, 154, 155, 156, 157, 158, 159, 160, 161, 162],
];

Deno.test("a link that the broker ends is made again, whatever reason it gives", async () => {
  await using broker = new FakeBroker((packet) => obedientReply(packet));
  await using queue = queueAt(broker.url, { autoSubscribe: false, reconnectTimeout: 1 });
  await queue.open();
  for (const reasonCode of DISCONNECTS.slice(0, 12)) {
    const lost = queueEvent(queue, "statechange", ({ state }) => state === "reconnecting");
    const back = relinked(queue);
    await broker.send({ cmd: "disconnect", reasonCode });
    const { cause } = await lost;
    assert.ok(cause instanceof ConnectionError);
    assert.equal(cause.reasonCode, reasonCode);
    await back;
    await queue.send(null, text("after"));
  }
});

for (const reasonCode of DISCONNECTS.slice(12)) {
  Deno.test(`a DISCONNECT with reason code ${reasonCode} is told and got over`, async () => {
    await using broker = new FakeBroker((packet) => obedientReply(packet));
    await using queue = queueAt(broker.url);
    await queue.open();
    const lost = queueEvent(queue, "statechange", ({ state }) => state === "reconnecting");
    const back = relinked(queue);
    await broker.send({ cmd: "disconnect", reasonCode });
    assert.equal(((await lost).cause as ConnectionError).reasonCode, reasonCode);
    await back;
    await queue.send(null, text("after"));
  });
}

/** Packets that no broker may send, by what is wrong with them. */
const MALFORMED: Record<string, number[]> = {
  "a packet of no kind": [0x00, 0x00],
  "a length without an end": [0x30, 0xff, 0xff, 0xff, 0xff, 0xff],
  "a PUBLISH of QoS 3": [0x36, 0x07, 0x00, 0x01, 0x61, 0x00, 0x01, 0x00, 0x78],
  "a PUBLISH whose topic is longer than it is": [0x30, 0x04, 0xff, 0xff, 0x61, 0x61],
  "a PUBLISH with an unknown property": [0x30, 0x06, 0x00, 0x01, 0x61, 0x02, 0x7f, 0x00],
  "a PUBLISH with a topic alias that was never told": [0x30, 0x06, 0, 0, 0x03, 0x23, 0x00, 0x09],
  "a SUBACK for nobody": [0x90, 0x04, 0x12, 0x34, 0x00, 0x00],
  "a PUBACK for nobody": [0x40, 0x02, 0x12, 0x34],
  "a PUBREL for nobody": [0x62, 0x02, 0x12, 0x34],
  "a second CONNACK": [0x20, 0x03, 0x00, 0x00, 0x00],
  "a CONNECT": [0x10, 0x0d, 0, 4, 0x4d, 0x51, 0x54, 0x54, 5, 2, 0, 60, 0, 0, 0],
  "a PINGRESP with a body": [0xd0, 0x02, 0x00, 0x00],
  "nothing but ones": Array.from({ length: 64 }, () => 0xff),
};

for (const [what, bytes] of Object.entries(MALFORMED)) {
  Deno.test(`${what} throws nothing, and the queue goes on`, async () => {
    let messageId = 0;
    await using broker = new FakeBroker((packet) => obedientReply(packet));
    await using queue = queueAt(broker.url);
    await queue.open();
    await broker.send(Uint8Array.from(bytes));
    // A link that was ended for it is made again, and one that was not still works.
    let received: MessageEnvelope | null = null;
    for (const late = Date.now() + WAIT_MS; received === null && Date.now() < late;) {
      await broker.send({
        ...{ cmd: "publish", topic: "faults", payload: "after", qos: 1, retain: false, dup: false },
        messageId: ++messageId,
      } as mqttPacket.IPublishPacket);
      do {
        received = await queue.receive(null, 50);
      } while (received !== null && received.getMessageAsString() !== "after");
    }
    assert.notEqual(received, null);
    await queue.send(null, text("to the broker"));
    assert.equal(queue.state, "connected");
  });
}

Deno.test("limits that are lower after a reconnect are kept to", async () => {
  let limits: ConnackProperties = {};
  const published: mqttPacket.IPublishPacket[] = [];
  await using broker = new FakeBroker((packet) => {
    if (packet.cmd === "publish") published.push(packet);
    return obedientReply(packet, limits);
  });
  await using queue = queueAt(broker.url, { qos: 2 });
  await queue.open();
  await queue.send(null, text("x".repeat(2_000)), { retain: true });
  limits = { maximumQoS: 1, maximumPacketSize: 1_000, retainAvailable: false, receiveMaximum: 3 };
  const weaker = queueEvent(queue, "error");
  const back = relinked(queue);
  await broker.send({ cmd: "disconnect", reasonCode: 139 });
  await back;
  assert.match((await weaker).error.message, /grants QoS 1 at most/);
  await assert.rejects(queue.send(null, text("two")), NotSupportedError);
  await assert.rejects(queue.send(null, text("x".repeat(2_000)), { qos: 1 }), NotSupportedError);
  await assert.rejects(queue.send(null, text("kept"), { qos: 1, retain: true }), NotSupportedError);
  await queue.send(null, text("one"), { qos: 1 });
  assert.equal(queue.getCapabilities().maximumQoS, 1);
  assert.deepEqual(published.map(({ qos }) => qos), [2, 1]);
});

Deno.test("no more are in flight than a Receive Maximum that shrank", async () => {
  let receiveMaximum = 100;
  const waiting: number[] = [];
  await using broker = new FakeBroker((packet) => {
    if (packet.cmd !== "publish") return obedientReply(packet, { receiveMaximum });
    waiting.push(packet.messageId!);
    return "silence";
  });
  await using queue = queueAt(broker.url, { autoSubscribe: false });
  await queue.open();
  receiveMaximum = 2;
  const back = relinked(queue);
  await broker.send({ cmd: "disconnect", reasonCode: 139 });
  await back;
  const sends = Array.from({ length: 9 }, (_, index) => queue.send(null, text(`${index}`)));
  let answered = 0;
  for (const late = Date.now() + WAIT_MS; answered < 9 && Date.now() < late;) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.ok(waiting.length - answered <= 2, `${waiting.length - answered} in flight`);
    if (waiting.length > answered) {
      await broker.send({ cmd: "puback", messageId: waiting[answered++], reasonCode: 0 });
    }
  }
  await Promise.all(sends);
});

Deno.test("a CONNACK that never comes at a reconnect is given up, and tried again", async () => {
  let connects = 0;
  await using broker = new FakeBroker((packet) => {
    if (packet.cmd === "connect" && ++connects === 2) return "silence";
    return obedientReply(packet);
  });
  await using queue = queueAt(broker.url, { connectTimeout: 60, autoSubscribe: false });
  await queue.open();
  const causes: unknown[] = [];
  queue.addEventListener("statechange", ({ detail: { cause } }) => void causes.push(cause));
  const back = relinked(queue);
  await broker.send({ cmd: "disconnect", reasonCode: 139 });
  await back;
  assert.equal(connects, 3);
  assert.ok(causes.some((cause) => cause instanceof TimeoutError));
});

Deno.test("a broker that refuses at reconnects is asked again, and its reasons are told", async () => {
  const refusals = [136, 137, 135, 151, 159];
  let connects = 0;
  await using broker = new FakeBroker((packet) => {
    if (packet.cmd !== "connect" || connects++ === 0) return obedientReply(packet);
    const reasonCode = refusals[connects - 2];
    if (reasonCode === undefined) return obedientReply(packet);
    return [{ cmd: "connack", reasonCode, returnCode: 0, sessionPresent: false }];
  });
  await using queue = queueAt(broker.url, { autoSubscribe: false, reconnectTimeout: 2 });
  await queue.open();
  const told: (number | null)[] = [];
  queue.addEventListener("statechange", ({ detail: { cause } }) => {
    if (cause instanceof ConnectionError) told.push(cause.reasonCode);
  });
  const back = relinked(queue);
  await broker.send({ cmd: "disconnect", reasonCode: 139 });
  await back;
  assert.deepEqual(told, [139, ...refusals]);
});

Deno.test("a broker that takes messages slowly and answers late gets each one once", async () => {
  await using broker = await Mosquitto.start();
  await using network = await FaultyNetwork.start(broker.port);
  network.delay(15);
  await using queue = queueAt(`mqtt://127.0.0.1:${network.port}`, { qos: 2 });
  await queue.open();
  await queue.sendBatch(null, Array.from({ length: 50 }, (_, index) => text(`${index}`)));
  const bodies: (string | null)[] = [];
  while (bodies.length < 50) {
    const message = await queue.receive(null, WAIT_MS);
    assert.ok(message !== null);
    bodies.push(message.getMessageAsString());
  }
  assert.deepEqual(bodies, Array.from({ length: 50 }, (_, index) => `${index}`));
});

for (const durable of [true, false]) {
  const session = durable ? "durable" : "private";
  Deno.test(`a broker that comes back on an empty store is told by each ${session} session, and used`, async () => {
    await using broker = await Mosquitto.start();
    const clientId = durable ? "worker" : undefined;
    await using queue = queueAt(broker.url, { clientId, receiveMode: "peekLock" });
    await queue.open();
    await queue.sendBatch(null, [text("held"), text("waiting")]);
    const held = (await queue.receive(null, WAIT_MS))!;
    const lost = queueEvent(queue, "sessionlost");
    const back = relinked(queue);
    await broker.kill(); // Nothing was written down yet: what it has is what a new one has.
    await broker.restart();
    assert.deepEqual(await lost, { reason: "forgotten", held: 2 });
    await back;
    await queue.complete(held); // Harmless: there is nobody to tell.
    await queue.send(null, text("new"));
    const bodies: (string | null)[] = [];
    while (bodies.length < 2) {
      bodies.push((await queue.receive(null, WAIT_MS))!.getMessageAsString());
    }
    assert.deepEqual(bodies, ["waiting", "new"]);
  });
}

Deno.test("a broker that is killed and comes back is found within one step of the backoff", async () => {
  await using broker = await Mosquitto.start();
  await using queue = queueAt(broker.url, { reconnectTimeout: 50 });
  await queue.open();
  let retryAt = 0;
  queue.addEventListener("statechange", ({ detail: { retryInMs } }) => {
    if (retryInMs !== undefined) retryAt = Date.now() + retryInMs;
  });
  for (let time = 0; time < 3; time++) {
    const lost = queueEvent(queue, "statechange", ({ state }) => state === "reconnecting");
    const back = relinked(queue);
    await broker.kill();
    await lost;
    await broker.restart();
    const cameBackAt = Date.now();
    await back;
    const late = Date.now() - Math.max(retryAt, cameBackAt);
    assert.ok(late < 1_000, `${late} ms behind the attempt`);
    await queue.send(null, text("after"));
    assert.equal((await queue.receive(null, WAIT_MS))?.getMessageAsString(), "after");
  }
});
