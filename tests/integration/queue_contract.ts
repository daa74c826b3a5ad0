import assert from "node:assert/strict";
import {
  ConfigParams,
  LockLostError,
  MessageEnvelope,
  MqttMessageQueue,
  type QoS,
  QueueClosedError,
} from "../../mod.ts";
import { contractTest } from "./contract_test_case.ts";
import { connectRaw, nextMessage } from "../support/raw_client.ts";

/** A broker that a contract test has to itself. */
export interface ContractBroker extends AsyncDisposable {
  readonly url: string;
}

/** What the contract is run on. */
export interface ContractSetting {
  /** Stands in the name of each test. */
  name: string;
  start(): Promise<ContractBroker>;
  protocolVersion: 4 | 5;
}

/** What every broker and version of the protocol must show of the queue, a test each. */
export function queueContract(setting: ContractSetting): void {
  const test = contractTest.bind(null, setting);
  const { protocolVersion } = setting;

  for (const qos of [0, 1, 2] as QoS[]) {
    test(`a message goes through at QoS ${qos}`, async ({ open, text }) => {
      await using queue = await open({ qos });
      const sent = text("ABC123");
      await queue.send("123", sent);
      const received = await queue.receive("123", 10_000);
      assert.equal(received?.getMessageAsString(), "ABC123");
      assert.equal(received?.messageType, "mymessage");
      assert.equal(received?.correlationId, "123");
      assert.equal(received?.messageId, sent.messageId);
      assert.equal(received?.qos, qos);
      assert.equal(received?.topic, "contract");
      assert.equal(await queue.receive("123", 0), null);
    });

    test(`peek and count see what was sent at QoS ${qos}`, async ({ open, text }) => {
      await using queue = await open({ qos });
      assert.equal(await queue.peek("123"), null);
      assert.deepEqual(await queue.peekBatch("123", 3), []);
      await queue.send("123", text("one"));
      const batch = await queue.peekBatch("123", 3);
      assert.deepEqual(batch.map((each) => each.getMessageAsString()), ["one"]);
      assert.equal(await queue.readMessageCount(), 1);
      assert.equal((await queue.peek("123"))?.getMessageAsString(), "one");
      assert.equal((await queue.receive("123", 0))?.getMessageAsString(), "one");
      assert.equal(await queue.readMessageCount(), 0);
    });
  }

  for (const serializeEnvelope of [true, false, undefined]) {
    test(`the body survives with serializeEnvelope ${serializeEnvelope}`, async ({ open }) => {
      await using queue = await open({ serializeEnvelope });
      const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
      const envelope = new MessageEnvelope("123", "bytes", bytes);
      envelope.userProperties.color = "blå";
      await queue.send("123", envelope);
      const received = (await queue.receive("123", 10_000))!;
      assert.deepEqual(received.message, bytes);
      const bare = serializeEnvelope === false && protocolVersion === 4;
      assert.equal(received.messageType, bare ? "contract" : "bytes");
      assert.deepEqual(received.userProperties, bare ? {} : { color: "blå" });
    });
  }

  test("messages are received in the order in which they were sent", async ({ open, text }) => {
    await using queue = await open();
    const bodies = Array.from({ length: 200 }, (_, index) => `${index}`);
    await queue.sendBatch("123", bodies.map(text));
    const received = await queue.receiveBatch("123", 200, 10_000);
    while (received.length < 200) {
      received.push(...await queue.receiveBatch("123", 200, 10_000));
    }
    assert.deepEqual(received.map((each) => each.getMessageAsString()), bodies);
  });

  test("receive() wakes as soon as a message arrives", async ({ open, text }) => {
    await using queue = await open();
    const received = queue.receive("123", 10_000);
    await queue.send("123", text("awake"));
    assert.equal((await received)?.getMessageAsString(), "awake");
  });

  test("waiting receivers are served in turn", async ({ open, text }) => {
    await using queue = await open();
    const first = queue.receive("123", 10_000);
    const second = queue.receive("123", 10_000);
    await queue.sendBatch("123", [text("1"), text("2")]);
    assert.equal((await first)?.getMessageAsString(), "1");
    assert.equal((await second)?.getMessageAsString(), "2");
  });

  test("receive() gives null after its timeout", async ({ open }) => {
    await using queue = await open();
    assert.equal(await queue.receive("123", 20), null);
  });

  test("receiveBatch() gives [] after its timeout", async ({ open }) => {
    await using queue = await open();
    const startedAt = performance.now();
    assert.deepEqual(await queue.receiveBatch("123", 5, 20), []);
    assert.ok(performance.now() - startedAt >= 19);
  });

  test("an aborted receive() takes nothing", async ({ open, text }) => {
    await using queue = await open();
    const abort = new AbortController();
    const received = queue.receive("123", 10_000, { signal: abort.signal });
    abort.abort(new Error("enough"));
    await assert.rejects(received, /enough/);
    await queue.send("123", text("kept"));
    assert.equal((await queue.receive("123", 10_000))?.getMessageAsString(), "kept");
  });

  test("a body that is none is not an empty one, but in the bare form", async ({ open }) => {
    for (const serializeEnvelope of [true, undefined, false]) {
      await using queue = await open({ serializeEnvelope });
      await queue.send("123", new MessageEnvelope("123", "mymessage", null));
      await queue.send("123", new MessageEnvelope("123", "mymessage", ""));
      const [first, second] = [
        await queue.receive("123", 5_000),
        await queue.receive("123", 5_000),
      ];
      assert.equal(first?.getMessageAsString(), serializeEnvelope === false ? "" : null);
      assert.equal(second?.getMessageAsString(), "");
    }
  });

  test("close() ends a waiting receive()", async ({ open }) => {
    await using queue = await open();
    const received = assert.rejects(queue.receive("123", 60_000), QueueClosedError);
    await queue.close("123");
    await received;
    await assert.rejects(queue.receive("123", 0), QueueClosedError);
  });

  test("an abandoned message comes again, in its place", async ({ open, text }) => {
    await using queue = await open({ receiveMode: "peekLock" });
    await queue.sendBatch("123", [text("1"), text("2"), text("3")]);
    const first = (await queue.receive("123", 10_000))!;
    assert.equal(first.deliveryCount, 1);
    assert.notEqual(first.getReference(), null);
    const second = (await queue.receive("123", 10_000))!;
    await queue.abandon(first);
    assert.equal(first.getReference(), null);
    const again = (await queue.receive("123", 10_000))!;
    assert.equal(again.getMessageAsString(), "1");
    assert.equal(again.deliveryCount, 2);
    await queue.complete(again);
    await queue.complete(again);
    await queue.complete(second);
    assert.equal((await queue.receive("123", 10_000))?.getMessageAsString(), "3");
  });

  test("a message that was received and removed can be put back", async ({ open, text }) => {
    await using queue = await open();
    await queue.sendBatch("123", [text("1"), text("2")]);
    const first = (await queue.receive("123", 10_000))!;
    await queue.abandon(first);
    await queue.abandon(first);
    assert.equal(await queue.readMessageCount(), 2);
    const again = (await queue.receive("123", 0))!;
    assert.equal(again.getMessageAsString(), "1");
    await queue.complete(again);
    await queue.abandon(again);
    assert.equal(await queue.readMessageCount(), 1);
  });

  test("open() right after close() opens again", async ({ open }) => {
    await using queue = await open();
    const closed = queue.close();
    await queue.open();
    await closed;
    assert.ok(queue.isOpen());
  });

  test("a lock from before close() is lost", async ({ open, text }) => {
    await using queue = await open({ clientId: "worker", receiveMode: "peekLock" });
    await queue.send("123", text("1"));
    const locked = (await queue.receive("123", 10_000))!;
    await queue.close();
    await queue.open();
    await assert.rejects(queue.complete(locked), LockLostError);
  });

  test("wrong arguments are refused, and harm nobody else", async ({ open, text }) => {
    await using queue = await open();
    const bad = text("x");
    Object.assign(bad, { message: "raw" });
    const sends = await Promise.allSettled([
      queue.send("123", text("1")),
      queue.send("123", bad),
      queue.send("123", text("2"), { qos: 0 }),
    ]);
    assert.deepEqual(sends.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
    assert.equal(queue.stats().reconnects, 0);
    const unknown = { mode: "ReceiveAndDelete" as "peekLock" };
    await assert.rejects(queue.receive("123", 0, unknown), TypeError);
    const locked = (await queue.receive("123", 10_000, { mode: "peekLock" }))!;
    await assert.rejects(queue.renewLock(locked, "50" as unknown as number), RangeError);
    await assert.rejects(queue.renewLock(locked, Infinity), RangeError);
    await assert.rejects(queue.abandon(locked, { delay: NaN }), RangeError);
    await assert.rejects(queue.listen("123", null as unknown as () => void), TypeError);
    await queue.complete(locked);
  });

  test("an old holder cannot settle a message that somebody else has", async ({ open, text }) => {
    await using queue = await open({ receiveMode: "peekLock", lockTimeout: 20 });
    await queue.send("123", text("once"));
    const first = (await queue.receive("123", 10_000))!;
    const second = (await queue.receive("123", 10_000))!;
    assert.equal(second.messageId, first.messageId);
    await assert.rejects(queue.complete(first), LockLostError);
    await queue.complete(second);
  });

  test("clear() drops what is available and keeps what is locked", async ({ open, text }) => {
    await using queue = await open();
    await queue.sendBatch("123", [text("1"), text("2"), text("3")]);
    const locked = (await queue.receive("123", 10_000, { mode: "peekLock" }))!;
    await queue.clear("123");
    assert.equal(await queue.readMessageCount(), 0);
    await queue.abandon(locked);
    assert.equal(await queue.readMessageCount(), 1);
  });

  test("peek never hands out the live message", async ({ open, text }) => {
    await using queue = await open();
    await queue.send("123", text("intact"));
    const copy = (await queue.peek("123"))!;
    copy.message!.fill(0);
    copy.messageType = "other";
    const received = await queue.receive("123", 10_000);
    assert.equal(received?.getMessageAsString(), "intact");
    assert.equal(received?.messageType, "mymessage");
  });

  test("send() does not change the caller's envelope", async ({ open }) => {
    await using queue = await open();
    const envelope = new MessageEnvelope(null, "mymessage", "same");
    const before = JSON.stringify(envelope);
    await queue.send("456", envelope);
    assert.equal(JSON.stringify(envelope), before);
    assert.equal((await queue.receive("123", 10_000))?.correlationId, "456");
  });

  test("a foreign message arrives as raw bytes with the topic as its type", async ({ broker, open }) => {
    await using queue = await open();
    await using raw = await connectRaw(broker.url);
    for (const payload of ["{not json", "", '{"message":"no envelope"}', "\x00\xff"]) {
      await raw.client.publishAsync("contract", payload, { qos: 1 });
      const received = (await queue.receive("123", 10_000))!;
      assert.equal(received.getMessageAsString(), payload);
      assert.equal(received.messageType, "contract");
    }
  });

  test("another client sees what send() sent", async ({ broker, open, text }) => {
    await using queue = await open({ serializeEnvelope: true });
    await using raw = await connectRaw(broker.url);
    await raw.client.subscribeAsync("contract", { qos: 1 });
    const message = nextMessage(raw.client);
    const envelope = text("ABC123");
    await queue.send("123", envelope);
    const json = JSON.parse((await message).payload.toString());
    assert.equal(json.message_id, envelope.messageId);
    assert.equal(json.correlation_id, "123");
    assert.equal(json.trace_id, "123");
    assert.equal(json.message_type, "mymessage");
    assert.equal(atob(json.message), "ABC123");
    assert.ok(!Number.isNaN(Date.parse(json.sent_time)));
  });

  test("a durable session keeps what arrives while the process is away", async ({ open, text }) => {
    const options = { clientId: "worker" };
    await (await open(options)).close();
    await using sender = await open({ autoSubscribe: false });
    await sender.sendBatch("123", [text("1"), text("2")]);
    await using queue = await open(options);
    assert.equal(await queue.readMessageCount(), 2);
    assert.equal((await queue.receive("123", 10_000))?.getMessageAsString(), "1");
  });

  for (const qos of [1, 2] as QoS[]) {
    test(`what was not settled comes again after close, at QoS ${qos}`, async ({ open, text }) => {
      const options = { clientId: "worker", qos };
      const first = await open(options);
      await first.sendBatch("123", [text("1"), text("2"), text("3")]);
      const done = (await first.receive("123", 10_000, { mode: "peekLock" }))!;
      await first.receive("123", 10_000, { mode: "peekLock" });
      await first.complete(done);
      await first.close();
      await using second = await open(options);
      assert.equal(await second.readMessageCount(), 2);
      const again = await second.receiveBatch("123", 2, 10_000);
      assert.deepEqual(again.map((each) => each.getMessageAsString()), ["2", "3"]);
      assert.ok(again[0].duplicate);
    });
  }

  test("a private session leaves nothing behind", async ({ open, text }) => {
    const queue = await open();
    await queue.send("123", text("lost with its session"));
    await queue.close();
    await using next = await open();
    assert.equal(await next.readMessageCount(), 0);
  });

  test("open() and close() are idempotent and can be used again", async ({ open, text }) => {
    const queue = await open();
    await Promise.all([queue.open(), queue.open()]);
    assert.ok(queue.isOpen());
    assert.equal(queue.state, "connected");
    await Promise.all([queue.close(), queue.close()]);
    assert.ok(!queue.isOpen());
    assert.equal(queue.state, "closed");
    await queue.open();
    await queue.send("123", text("again"));
    assert.equal((await queue.receive("123", 10_000))?.getMessageAsString(), "again");
    await queue.close();
  });

  test("it subscribes by itself at the first peek, receive or count", async ({ open, text }) => {
    await using queue = await open({ autoSubscribe: false });
    await queue.send("123", text("nobody is there"));
    assert.equal(await queue.readMessageCount(), 0);
    await queue.send("123", text("here"));
    assert.equal((await queue.receive("123", 10_000))?.getMessageAsString(), "here");
  });

  test("the tutorial's configuration works", async ({ broker }) => {
    const { hostname, port } = new URL(broker.url);
    await using queue = new MqttMessageQueue();
    queue.configure(ConfigParams.fromTuples(
      "topic",
      "mytopic",
      "connection.protocol",
      "mqtt",
      "connection.host",
      hostname,
      "connection.port",
      Number(port),
      "options.autosubscribe",
      true,
      "options.serialize_envelope",
      true,
      "options.protocol_version",
      protocolVersion,
    ));
    await queue.open("123");
    await queue.send("123", new MessageEnvelope(null, "mymessage", "ABC1234"));
    assert.equal((await queue.receive("123", 10_000))?.getMessageAsString(), "ABC1234");
  });

  test("events tell what happens", async ({ broker, text }) => {
    await using queue = new MqttMessageQueue("contract", {
      url: broker.url,
      protocolVersion,
      autoSubscribe: true,
    });
    const told: string[] = [];
    queue.addEventListener("statechange", (event) => told.push(event.detail.state));
    queue.addEventListener("arrive", (event) => told.push(`arrive ${event.detail.envelope}`));
    queue.addEventListener("settle", (event) => told.push(event.detail.outcome));
    await queue.open();
    await queue.send("123", text("told"));
    await queue.receive("123", 10_000);
    await queue.close();
    assert.deepEqual(told, [
      "connecting",
      "connected",
      "arrive [123,mymessage,told]",
      "received",
      "closed",
    ]);
  });

  test("stats() counts", async ({ open, text }) => {
    await using queue = await open();
    await queue.sendBatch("123", [text("1"), text("2"), text("3")]);
    await queue.receive("123", 10_000);
    await queue.receive("123", 10_000, { mode: "peekLock" });
    assert.equal(await queue.readMessageCount(), 1);
    const { sent, arrived, received, available, locked, pendingSends, state } = queue.stats();
    assert.deepEqual({ sent, arrived, received, available, locked, pendingSends, state }, {
      sent: 3,
      arrived: 3,
      received: 1,
      available: 1,
      locked: 1,
      pendingSends: 0,
      state: "connected",
    });
  });

  test("sendAsObject() sends JSON", async ({ open }) => {
    await using queue = await open();
    await queue.sendAsObject("123", "order", { id: 7, name: "bolt" });
    const received = (await queue.receive("123", 10_000))!;
    assert.deepEqual(received.getMessageAs(), { id: 7, name: "bolt" });
    assert.equal(received.messageType, "order");
    assert.equal(received.contentType, "application/json");
    assert.equal(received.correlationId, "123");
    await assert.rejects(queue.sendAsObject("123", "order", 1n), TypeError);
  });

  test("getCapabilities() is true for this broker", async ({ broker }) => {
    const queue = new MqttMessageQueue("contract", { url: broker.url, protocolVersion });
    assert.equal(queue.getCapabilities().protocolVersion, null);
    await queue.open();
    const capabilities = queue.getCapabilities();
    assert.equal(capabilities.protocolVersion, protocolVersion);
    assert.equal(capabilities.maximumQoS, 2);
    assert.equal(capabilities.retain, true);
    assert.equal(capabilities.wildcards, true);
    assert.equal(capabilities.userProperties, protocolVersion === 5);
    assert.equal(capabilities.messageExpiry, protocolVersion === 5);
    assert.equal(capabilities.receiveMaximum, protocolVersion === 5 ? 65_535 : null);
    await queue.close();
    assert.equal(queue.getCapabilities().protocolVersion, null);
  });

  test("a body of 2 MiB goes through", async ({ open }) => {
    await using queue = await open();
    const body = new Uint8Array(2 * 1024 * 1024).map((_, index) => index * 7);
    await queue.send("123", new MessageEnvelope(null, "large", body));
    assert.deepEqual((await queue.receive("123", 10_000))?.message, body);
  });
}
