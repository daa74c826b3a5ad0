import assert from "node:assert/strict";
import { LockLostError, MessageEnvelope, NotSupportedError } from "../../mod.ts";
import { queueEvent } from "../support/queue_event.ts";
import { connectRaw } from "../support/raw_client.ts";
import { brokers } from "./brokers.ts";
import { contractTest } from "./contract_test_case.ts";

for (const setting of brokers) {
  const test = contractTest.bind(null, setting);

  test("wildcards receive, and send where a topic is given", async ({ open, text }) => {
    await using plus = await open({}, "floor/+/temperature");
    await using all = await open({}, "floor/#");
    await assert.rejects(plus.send(null, text("nowhere")), TypeError);
    await plus.send(null, text("21"), { topic: "floor/3/temperature" });
    await all.send(null, text("40"), { topic: "floor/3/humidity" });
    assert.equal((await plus.receive(null, 10_000))?.topic, "floor/3/temperature");
    assert.equal(await plus.readMessageCount(), 0);
    assert.equal(await all.readMessageCount(), 2);
  });

  test("overlapping queues in one process each get their own copy", async ({ open, text, bodies }) => {
    await using one = await open({}, "same");
    await using two = await open({}, "same");
    await one.sendBatch(null, ["1", "2"].map(text));
    assert.deepEqual(bodies(await one.peekBatch(null, 5)), ["1", "2"]);
    assert.deepEqual(bodies(await two.peekBatch(null, 5)), ["1", "2"]);
    await one.clear(null);
    assert.equal(await two.readMessageCount(), 2);
  });

  test("bad topics and properties are refused, and the link stays", async ({ open, text }) => {
    await using queue = await open();
    for (
      const topic of [
        "",
        "a/#",
        "a/+",
        "a\0b",
        "x".repeat(65_536),
        "$share/g/a",
        "\ud800",
        "bell\x07",
        "\uffff",
      ]
    ) {
      await assert.rejects(queue.send(null, text("1"), { topic }), TypeError);
    }
    const bad = text("1");
    bad.userProperties = { good: 1 as unknown as string };
    await assert.rejects(queue.send(null, bad), TypeError);
    await assert.rejects(queue.send(null, "text" as unknown as MessageEnvelope), TypeError);
    await assert.rejects(queue.send(null, text("1"), { qos: 3 as 2 }), RangeError);
    await assert.rejects(queue.receive(null, -1), RangeError);
    await assert.rejects(queue.receive(null, NaN), RangeError);
    await assert.rejects(queue.peekBatch(null, 0), RangeError);
    await queue.send(null, text("still here"));
    assert.equal(queue.stats().reconnects, 0);
    assert.equal(await queue.readMessageCount(), 1);
  });

  test("what no property can carry survives all the same, or is refused", async (each) => {
    const { open, text } = each;
    await using queue = await open();
    const strange = text("1");
    strange.messageId = "\ud800";
    strange.messageType = "nul\0 bell\x07 escape\x1b";
    strange.userProperties = JSON.parse('{"long": "", "__proto__": "p", "constructor": "c"}');
    strange.userProperties.long = "x".repeat(65_536);
    await queue.send(null, strange);
    const received = (await queue.receive(null, 10_000))!;
    assert.equal(received.messageId, strange.messageId);
    assert.equal(received.messageType, strange.messageType);
    assert.deepEqual(received.userProperties, strange.userProperties);
    const odd = text("2");
    odd.userProperties = JSON.parse('{"__proto__": "p", "constructor": "c"}');
    await queue.send(null, odd);
    const { userProperties } = (await queue.receive(null, 10_000))!;
    // MQTT.js itself loses a property of MQTT 5 that is called "__proto__".
    assert.equal(userProperties.constructor as unknown, "c");
    const bell = text("3");
    bell.messageType = "bell\x07";
    await queue.send(null, bell);
    assert.equal((await queue.receive(null, 10_000))?.messageType, "bell\x07");
    assert.equal(queue.stats().reconnects, 0);
    if (setting.protocolVersion === 4) return;
    await using bare = await open({ serializeEnvelope: false });
    await assert.rejects(bare.send(null, strange), TypeError);
  });

  test("a retained message is told apart", async ({ open, text }) => {
    await using sender = await open({ retain: true }, "retained");
    await sender.send(null, text("last"));
    await using queue = await open({}, "retained");
    const received = (await queue.receive(null, 10_000))!;
    assert.equal(received.getMessageAsString(), "last");
    assert.ok(received.retained);
    assert.ok(!(await sender.receive(null, 10_000))!.retained);
    await sender.send(null, new MessageEnvelope(null, null, null), { topic: "retained" });
  });

  test("QoS 0 that overflows is dropped, counted and told", async ({ broker, open }) => {
    for (const [overflow, first, last] of [["drop-oldest", 2, 5], ["drop-newest", 0, 3]] as const) {
      await using queue = await open({ qos: 0, maxBufferedBytes: 4_097, overflow });
      await using raw = await connectRaw(broker.url);
      const told = queueEvent(queue, "drop");
      for (let number = 0; number < 6; number++) {
        const body = new Uint8Array(512).fill(number);
        await raw.client.publishAsync("contract", body as never, { qos: 0 });
      }
      while (queue.stats().arrived < 6) await queue.peekBatch(null, 10);
      const held = await queue.peekBatch(null, 10);
      assert.deepEqual(held.map((each) => each.message![0]), [first, first + 1, last - 1, last]);
      assert.equal((await told).reason, "overflow");
      assert.equal(queue.stats().dropped, 2);
    }
  });

  test("an unread message expires at the broker and in memory, or is refused", async (each) => {
    const { open, text } = each;
    if (setting.protocolVersion === 4) {
      await assert.rejects(open({ messageExpiry: 1 }), NotSupportedError);
      await using queue = await open();
      await assert.rejects(queue.send(null, text("1"), { expiry: 1 }), NotSupportedError);
      return;
    }
    await using queue = await open({ messageExpiry: 3_600 });
    await queue.send(null, text("long"));
    assert.equal((await queue.receive(null, 10_000))?.expiry, 3_600);
    const dropped = queueEvent(queue, "drop");
    await queue.send(null, text("short"), { expiry: 1 });
    assert.equal(await queue.readMessageCount(), 1);
    assert.equal((await dropped).reason, "expired");
    assert.equal(await queue.readMessageCount(), 0);
  });

  if (setting.protocolVersion === 4) continue; // It has no expiry.

  test("a message that expires under its lock is its holder's, and comes to nobody else", async (each) => {
    const { open, text } = each;
    await using queue = await open({ receiveMode: "peekLock", lockTimeout: 60_000 });
    const told = queueEvent(queue, "drop");
    await queue.sendBatch(null, ["completed", "abandoned", "left"].map(text), { expiry: 1 });
    const [completed, abandoned] = [
      await queue.receive(null, 10_000),
      await queue.receive(null, 10_000),
    ];
    const left = (await queue.receive(null, 10_000))!;
    await queue.renewLock(left, 1_100);
    const late = await told; // Its lock ran out after its time.
    assert.deepEqual(
      [late.reason, late.envelope.getMessageAsString()],
      ["expired", "left"],
    );
    await assert.rejects(queue.complete(left), LockLostError);
    await queue.complete(completed!);
    const dropped = queueEvent(queue, "drop");
    await queue.abandon(abandoned!);
    assert.deepEqual(
      [(await dropped).reason, (await dropped).envelope.getMessageAsString()],
      ["expired", "abandoned"],
    );
    assert.equal(await queue.readMessageCount(), 0);
    assert.equal(queue.stats().locked, 0);
    assert.equal(queue.stats().completed, 1);
  });
}
