import assert from "node:assert/strict";
import { EmbeddedBroker } from "../../server/broker.ts";
import {
  ConnectionError,
  MessageEnvelope,
  MqttMessageQueue,
  type QueueOptions,
  TimeoutError,
} from "../../mod.ts";
import { FakeBroker } from "../support/fake_broker.ts";
import { freePort } from "../support/free_port.ts";
import { Mosquitto } from "../support/mosquitto.ts";
import { queueEvent } from "../support/queue_event.ts";
import { connectRaw, nextMessage } from "../support/raw_client.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";

function queueAt(url: string, options: QueueOptions = {}): MqttMessageQueue {
  return new MqttMessageQueue("connection", { url, autoSubscribe: true, ...options });
}

Deno.test("auto speaks MQTT 5 where the broker does", async () => {
  await using broker = await Mosquitto.start();
  await using queue = queueAt(broker.url);
  await queue.open();
  assert.equal(queue.getCapabilities().protocolVersion, 5);
});

Deno.test("auto falls back to 3.1.1 where the broker refuses 5 with a CONNACK", async () => {
  await using broker = await EmbeddedBroker.start({ port: 0 });
  await using queue = queueAt(broker.url);
  await queue.open();
  assert.equal(queue.getCapabilities().protocolVersion, 4);
  await queue.send(null, new MessageEnvelope(null, "mymessage", "ABC123"));
  assert.equal((await queue.receive(null, 10_000))?.getMessageAsString(), "ABC123");
});

Deno.test("auto falls back to 3.1.1 where the broker just closes", async () => {
  const versions: (number | undefined)[] = [];
  await using broker = new FakeBroker((packet) => {
    if (packet.cmd !== "connect") return "silence";
    versions.push(packet.protocolVersion);
    if (packet.protocolVersion === 5) return "close";
    return [{ cmd: "connack", returnCode: 0, sessionPresent: false }];
  });
  const queue = queueAt(broker.url, { autoSubscribe: false });
  await queue.open();
  assert.equal(queue.getCapabilities().protocolVersion, 4);
  assert.deepEqual(versions, [5, 4]);
  await queue.close();
});

Deno.test("a version that is asked for is the only one tried", async () => {
  await using broker = await EmbeddedBroker.start({ port: 0 });
  const queue = queueAt(broker.url, { protocolVersion: 5 });
  await assert.rejects(queue.open(), (error) => {
    assert.ok(error instanceof ConnectionError);
    assert.equal(error.reasonCode, 1);
    assert.equal(error.url, broker.url);
    return true;
  });
  assert.equal(queue.state, "closed");
});

Deno.test("open() fails at once where nobody listens, and leaves nothing behind", async () => {
  const queue = queueAt(`mqtt://user:hunter2@127.0.0.1:${freePort()}`);
  await assert.rejects(queue.open(), (error) => {
    assert.ok(error instanceof ConnectionError);
    assert.equal(error.reasonCode, null);
    assert.match(error.message, /Connection refused/);
    assert.equal((error.cause as { code?: string }).code, "ECONNREFUSED");
    assert.doesNotMatch(Deno.inspect(error), /hunter2/);
    return true;
  });
  assert.ok(!queue.isOpen());
  assert.equal(queue.state, "closed");
});

Deno.test("open() gives up on a broker that does not answer", async () => {
  await using broker = new FakeBroker(() => "silence");
  const queue = queueAt(broker.url, { connectTimeout: 50 });
  await assert.rejects(queue.open(), TimeoutError);
  await using later = queueAt(broker.url, { connectTimeout: 10_000 });
  const abort = new AbortController();
  const opening = later.open(null, { signal: abort.signal });
  abort.abort(new Error("enough"));
  await assert.rejects(opening, /enough/);
});

Deno.test("two calls of open() make one connection", async () => {
  const connects: string[] = [];
  await using broker = new FakeBroker((packet) => {
    if (packet.cmd !== "connect") return "silence";
    connects.push(packet.clientId);
    return [{ cmd: "connack", returnCode: 0, reasonCode: 0, sessionPresent: false }];
  });
  const queue = queueAt(broker.url, { autoSubscribe: false });
  await Promise.all([queue.open(), queue.open()]);
  assert.equal(connects.length, 1);
  await queue.close();
});

Deno.test("configure() is refused while the queue opens and is open, and changes nothing", async () => {
  await using broker = await EmbeddedBroker.start({ port: 0 });
  const queue = queueAt(broker.url);
  const configure = () => queue.configure({ topic: "other" });
  const refused = { name: "ConfigError", message: "Cannot configure: the queue is open" };
  const connecting = queueEvent(queue, "statechange", ({ state }) => state === "connecting");
  const opening = queue.open();
  await connecting;
  assert.throws(configure, refused);
  await opening;
  assert.throws(configure, refused);
  await queue.send(null, new MessageEnvelope(null, "mymessage", "there"));
  assert.equal((await queue.receive(null, 10_000))?.topic, "connection");
  await queue.close();
  configure();
  await queue.open();
  await queue.send(null, new MessageEnvelope(null, "mymessage", "elsewhere"));
  assert.equal((await queue.receive(null, 10_000))?.topic, "other");
  await queue.close();
});

Deno.test("a failing subscription fails open(), and leaves nothing behind", async () => {
  await using broker = new FakeBroker((packet) => {
    if (packet.cmd === "connect") {
      return [{ cmd: "connack", returnCode: 0, reasonCode: 0, sessionPresent: false }];
    }
    if (packet.cmd === "subscribe") {
      return [{ cmd: "suback", messageId: packet.messageId, granted: [135], reasonCode: 0 }];
    }
    return "silence";
  });
  const queue = queueAt(broker.url);
  await assert.rejects(queue.open(), (error) => {
    assert.ok(error instanceof ConnectionError);
    assert.equal(error.reasonCode, 135);
    return true;
  });
  assert.ok(!queue.isOpen());
});

Deno.test("attempts back off, with jitter", async () => {
  await using broker = await Mosquitto.start();
  await using proxy = new TcpProxy(broker.port);
  await using queue = queueAt(proxy.url, { reconnectTimeout: 8, autoSubscribe: false });
  const waits: number[] = [];
  await queue.open();
  const fifth = queueEvent(queue, "statechange", ({ retryInMs }) => {
    if (retryInMs !== undefined) waits.push(retryInMs);
    return waits.length === 5;
  });
  proxy.refuse(true);
  proxy.cut();
  await fifth;
  waits.forEach((wait, attempt) => {
    assert.ok(wait >= 4 * 2 ** attempt && wait <= 8 * 2 ** attempt, `${wait} at ${attempt}`);
  });
});

Deno.test("a session that the broker forgot is told, what is held stays, and it subscribes again", async () => {
  await using broker = await Mosquitto.start();
  await using queue = queueAt(broker.url, {
    reconnectTimeout: 20,
    receiveMode: "peekLock",
    qos: 1,
  });
  await queue.open();
  await queue.send(null, new MessageEnvelope(null, "mymessage", "held"));
  const locked = (await queue.receive(null, 10_000))!;
  const lost = queueEvent(queue, "sessionlost");
  await broker.kill();
  await broker.restart();
  assert.deepEqual(await lost, { reason: "forgotten", held: 1 });
  await queue.abandon(locked);
  await queue.send(null, new MessageEnvelope(null, "mymessage", "new"));
  const received = await queue.receiveBatch(null, 2, 10_000);
  if (received.length < 2) received.push((await queue.receive(null, 10_000))!);
  assert.deepEqual(received.map((each) => each.getMessageAsString()), ["held", "new"]);
  for (const each of received) await queue.complete(each);
});

Deno.test("a queue whose client id another client took says so and stays away", async () => {
  await using broker = new FakeBroker((packet) => {
    if (packet.cmd === "connect") {
      return [{ cmd: "connack", returnCode: 0, reasonCode: 0, sessionPresent: false }];
    }
    // Mosquitto 2.0 closes without this word, so it takes a fake.
    if (packet.cmd === "pingreq") return [{ cmd: "disconnect", reasonCode: 142 }];
    if (packet.cmd !== "subscribe") return "silence";
    return [{ cmd: "suback", messageId: packet.messageId, granted: [1], reasonCode: 0 }];
  });
  await using queue = queueAt(broker.url, { clientId: "same", autoSubscribe: false });
  await queue.open();
  const lost = queueEvent(queue, "sessionlost");
  const told = queueEvent(queue, "statechange", ({ state }) => state === "disconnected");
  await queue.peek(null);
  assert.deepEqual(await lost, { reason: "taken-over", held: 0 });
  const { cause } = await told;
  assert.ok(cause instanceof ConnectionError);
  assert.equal(cause.reasonCode, 142);
});

Deno.test("what is sent again on the next link says so", async () => {
  const sent: boolean[] = [];
  await using broker = new FakeBroker((packet) => {
    if (packet.cmd === "connect") {
      return [{ cmd: "connack", returnCode: 0, reasonCode: 0, sessionPresent: sent.length > 0 }];
    }
    if (packet.cmd !== "publish") return "silence";
    sent.push(packet.dup);
    if (sent.length === 1) return "close";
    return [{ cmd: "puback", messageId: packet.messageId, reasonCode: 0 }];
  });
  await using queue = queueAt(broker.url, { autoSubscribe: false, reconnectTimeout: 10 });
  await queue.open();
  await queue.send(null, new MessageEnvelope(null, "mymessage", "again"));
  assert.deepEqual(sent, [false, true]);
});

Deno.test("two queues with one client id do not throw each other out for ever", async () => {
  await using broker = await Mosquitto.start();
  await using first = queueAt(broker.url, { clientId: "same", reconnectTimeout: 10 });
  await using second = queueAt(broker.url, { clientId: "same", reconnectTimeout: 10 });
  const patient = queueEvent(first, "statechange", ({ retryInMs }) => retryInMs! > 100);
  const hinted = queueEvent(
    first,
    "statechange",
    ({ cause }) => /does another client use the client id "same"/.test(`${cause}`),
  );
  await first.open();
  await second.open();
  await patient;
  await hinted;
});

Deno.test("a private session of a queue that was closed is gone from the broker", async () => {
  await using broker = await Mosquitto.start({ config: ["sys_interval 1"] });
  for (const protocolVersion of [4, 5] as const) {
    const queue = queueAt(broker.url, { protocolVersion });
    await queue.open();
    await queue.close();
  }
  await using raw = await connectRaw(broker.url);
  const message = nextMessage(raw.client);
  await raw.client.subscribeAsync("$SYS/broker/clients/disconnected");
  assert.equal((await message).payload.toString(), "0");
});

Deno.test("a dead letter is not redriven to where nobody is subscribed", async () => {
  await using broker = await Mosquitto.start();
  const queue = queueAt(broker.url, { receiveMode: "peekLock" });
  await queue.open();
  await queue.send(null, new MessageEnvelope(null, "mymessage", "kept"));
  await queue.moveToDeadLetter((await queue.receive(null, 10_000))!);
  await queue.close();
  await using elsewhere = queueAt(broker.url, { autoSubscribe: false });
  await elsewhere.open();
  await assert.rejects(elsewhere.deadLetters.redrive(), {
    name: "ConnectionError",
    reasonCode: 16,
    message: /nobody is subscribed/,
  });
  assert.equal(await elsewhere.deadLetters.count(), 1);
  await elsewhere.peek(null);
  assert.equal(await elsewhere.deadLetters.redrive(), 1);
  assert.equal((await elsewhere.receive(null, 10_000))?.getMessageAsString(), "kept");
});
