// The faults of the component that ours takes the place of, one test each: none of them is ours.
import assert from "node:assert/strict";
import {
  ConfigParams,
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
import { connectRaw } from "../support/raw_client.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";

async function setUp(options: QueueOptions = {}, topic = "faults") {
  const broker = await Mosquitto.start();
  const proxy = new TcpProxy(broker.port);
  const queue = new MqttMessageQueue(topic, {
    url: proxy.url,
    autoSubscribe: true,
    reconnectTimeout: 10,
    ...options,
  });
  await queue.open();
  return {
    broker,
    proxy,
    queue,
    async [Symbol.asyncDispose]() {
      await queue.close();
      await proxy[Symbol.asyncDispose]();
      await broker[Symbol.asyncDispose]();
    },
  };
}

function text(body: string): MessageEnvelope {
  return new MessageEnvelope(null, "mymessage", body);
}

Deno.test("not ours: every receive or peek subscribes again, so messages come several times", async () => {
  await using setting = await setUp();
  const { queue } = setting;
  for (let time = 0; time < 3; time++) {
    await queue.peek(null);
    assert.equal(await queue.receive(null, 1), null);
  }
  await queue.send(null, text("once"));
  assert.equal(await queue.readMessageCount(), 1);
  assert.equal(queue.stats().arrived, 1);
});

Deno.test("not ours: publishes to the name, subscribes to the topic", async () => {
  await using broker = await Mosquitto.start();
  await using queue = new MqttMessageQueue("name", {
    url: broker.url,
    topic: "topic",
    autoSubscribe: true,
  });
  await queue.open();
  await queue.send(null, text("there"));
  assert.equal((await queue.receive(null, 10_000))?.topic, "topic");
  assert.equal(queue.getName(), "name");
});

Deno.test("not ours: a body of bytes is turned into JSON text", async () => {
  await using setting = await setUp({ serializeEnvelope: true });
  const bytes = new Uint8Array([0, 1, 254, 255]);
  await setting.queue.send(null, new MessageEnvelope(null, "bytes", bytes));
  assert.deepEqual((await setting.queue.receive(null, 10_000))?.message, bytes);
});

for (const filter of ["a/+", "a/#", "$share/group/a/b"]) {
  Deno.test(`not ours: ${filter} drops everything silently`, async () => {
    await using setting = await setUp({}, filter);
    await setting.queue.send(null, text("1"), { topic: "a/b" });
    assert.equal((await setting.queue.receive(null, 10_000))?.topic, "a/b");
  });
}

Deno.test("not ours: listen with a backlog throws, loses one message and never listens", async () => {
  await using setting = await setUp();
  const { queue } = setting;
  await queue.sendBatch(null, ["1", "2", "3"].map(text));
  assert.equal(await queue.readMessageCount(), 3);
  const seen: (string | null)[] = [];
  const all = Promise.withResolvers<void>();
  queue.beginListen(null, (message) => {
    seen.push(message.getMessageAsString());
    if (seen.length === 4) all.resolve();
  });
  await queue.send(null, text("4"));
  await all.promise;
  await queue.endListen();
  assert.deepEqual(seen, ["1", "2", "3", "4"]);
});

Deno.test("not ours: a payload that is no JSON kills the process", async () => {
  await using setting = await setUp({ serializeEnvelope: true });
  await using raw = await connectRaw(setting.broker.url);
  for (const payload of ["{", "null", "[1", "\x00"]) {
    await raw.client.publishAsync("faults", payload, { qos: 1 });
    assert.equal((await setting.queue.receive(null, 10_000))?.getMessageAsString(), payload);
  }
});

Deno.test("not ours: complete, abandon, dead-letter and renew silently do nothing", async () => {
  await using setting = await setUp({ receiveMode: "peekLock", lockTimeout: 40 });
  const { queue } = setting;
  await queue.sendBatch(null, ["1", "2", "3"].map(text));
  const [first, second, third] = await Promise.all(
    [1, 2, 3].map(() => queue.receive(null, 10_000)),
  );
  await queue.complete(first!);
  await queue.moveToDeadLetter(second!);
  await queue.renewLock(third!, 60_000);
  assert.equal(await queue.receive(null, 80), null);
  await queue.abandon(third!);
  assert.equal(await queue.readMessageCount(), 1);
  assert.equal(await queue.deadLetters.count(), 1);
});

Deno.test("not ours: abandon loses the message", async () => {
  await using setting = await setUp();
  const { queue } = setting;
  await queue.send(null, text("kept"));
  await queue.abandon((await queue.receive(null, 10_000))!);
  assert.equal((await queue.receive(null, 0))?.getMessageAsString(), "kept");
});

Deno.test("not ours: two queues on a host throw each other out for ever", async () => {
  await using setting = await setUp();
  await using other = new MqttMessageQueue("faults", { url: setting.broker.url });
  await other.open();
  await other.peek(null);
  await other.send(null, text("both"));
  assert.equal(await setting.queue.readMessageCount(), 1);
  assert.equal(await other.readMessageCount(), 1);
  assert.equal(setting.queue.stats().reconnects + other.stats().reconnects, 0);
});

Deno.test("not ours: connect_timeout is read from another key", async () => {
  await using broker = new FakeBroker(() => "silence");
  const queue = new MqttMessageQueue("faults");
  queue.configure(ConfigParams.fromTuples(
    ...["connection.uri", broker.url, "options.connect_timeout", 30],
  ));
  await assert.rejects(queue.open(), (error) => {
    assert.ok(error instanceof TimeoutError);
    assert.equal(error.timeoutMs, 30);
    return true;
  });
});

Deno.test("not ours: retry_connect false leaves it retrying but deaf", async () => {
  await using setting = await setUp({ retryConnect: false });
  const lost = queueEvent(setting.queue, "statechange", ({ state }) => state === "disconnected");
  setting.proxy.cut();
  await lost;
  assert.equal(setting.proxy.links, 0);
});

Deno.test("not ours: isOpen stays true, and a failed open keeps retrying behind the caller's back", async () => {
  let connects = 0;
  await using broker = new FakeBroker((packet) => {
    if (packet.cmd === "connect") connects++;
    return [{ cmd: "connack", returnCode: 5, reasonCode: 135, sessionPresent: false }];
  });
  const queue = new MqttMessageQueue("faults", { url: broker.url, reconnectTimeout: 1 });
  await assert.rejects(queue.open(), ConnectionError);
  assert.ok(!queue.isOpen());
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(connects, 1);
  assert.equal(broker.connections, 0);
});

Deno.test("not ours: two concurrent calls of open make two clients", async () => {
  await using broker = await Mosquitto.start();
  await using proxy = new TcpProxy(broker.port);
  await using queue = new MqttMessageQueue("faults", { url: proxy.url });
  await Promise.all([queue.open(), queue.open(), queue.open()]);
  assert.equal(proxy.links, 1);
});

Deno.test("not ours: close cuts before it unsubscribes and flushes", async () => {
  await using setting = await setUp();
  await using other = new MqttMessageQueue("faults", {
    url: setting.broker.url,
    autoSubscribe: true,
  });
  await other.open();
  const sent = setting.queue.sendBatch(null, Array.from({ length: 500 }, () => text("flushed")));
  await setting.queue.close();
  await sent;
  assert.equal(await other.readMessageCount(), 500);
});

Deno.test("not ours: acknowledged before the application sees it", async () => {
  await using setting = await setUp({ clientId: "worker" });
  const { queue } = setting;
  await queue.send(null, text("held"));
  assert.equal(await queue.readMessageCount(), 1);
  await queue.close();
  await queue.open();
  assert.equal((await queue.receive(null, 10_000))?.getMessageAsString(), "held");
});

Deno.test("not ours: receive counts ticks and has no cancel", async () => {
  await using setting = await setUp();
  const startedAt = performance.now();
  assert.equal(await setting.queue.receive(null, 30), null);
  const waited = performance.now() - startedAt;
  assert.ok(waited >= 29 && waited < 1_000, `${waited} ms`);
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(setting.queue.receive(null, 60_000, { signal }), /enough/);
});

Deno.test("not ours: an offline send hangs for ever", async () => {
  await using setting = await setUp({ sendTimeout: 40 });
  setting.proxy.refuse(true);
  setting.proxy.cut();
  await assert.rejects(setting.queue.send(null, text("late")), TimeoutError);
  setting.proxy.refuse(false);
});

Deno.test("not ours: endListen keeps collecting", async () => {
  await using setting = await setUp();
  const { queue } = setting;
  const seen: string[] = [];
  queue.beginListen(null, (message) => void seen.push(message.getMessageAsString()!));
  await queue.endListen();
  await queue.send(null, text("after"));
  assert.equal(await queue.readMessageCount(), 1);
  assert.deepEqual(seen, []);
});

Deno.test("not ours: handler failures lose the message", async () => {
  await using setting = await setUp();
  const { queue } = setting;
  const again = Promise.withResolvers<number>();
  queue.beginListen(null, (message) => {
    if (message.deliveryCount === 1) throw new Error("failed");
    again.resolve(message.deliveryCount);
  });
  await queue.send(null, text("twice"));
  assert.equal(await again.promise, 2);
});

Deno.test("not ours: the URL with its password is logged", async () => {
  const queue = new MqttMessageQueue("faults", {
    url: `mqtt://alice:hunter2@127.0.0.1:${freePort()}`,
  });
  await assert.rejects(queue.open(), (error) => {
    assert.doesNotMatch(Deno.inspect(error), /hunter2|alice/);
    return true;
  });
  assert.doesNotMatch(Deno.inspect(queue) + queue + JSON.stringify(queue), /hunter2/);
});

Deno.test("not ours: send changes the caller's envelope", async () => {
  await using setting = await setUp();
  const envelope = text("frozen");
  Object.freeze(envelope);
  await setting.queue.send("123", envelope);
  assert.equal(envelope.correlationId, null);
});
