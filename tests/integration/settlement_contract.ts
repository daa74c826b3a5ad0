import assert from "node:assert/strict";
import { LockLostError, MessageEnvelope, type MqttMessageQueue, type QoS } from "../../mod.ts";
import { queueEvent } from "../support/queue_event.ts";
import { connectRaw } from "../support/raw_client.ts";
import { contractTest } from "./contract_test_case.ts";
import type { ContractSetting } from "./queue_contract.ts";

/** What every broker and version of the protocol must show of settlement and dead letters. */
export function settlementContract(setting: ContractSetting): void {
  const test = contractTest.bind(null, setting);

  test("a lock that runs out gives the message back", async ({ open, text }) => {
    await using queue = await open({ receiveMode: "peekLock", lockTimeout: 30 });
    await queue.send(null, text("1"));
    const first = (await queue.receive(null, 10_000))!;
    assert.ok(first.lockedUntil! > new Date());
    assert.equal(queue.stats().locked, 1);
    const second = (await queue.receive(null, 10_000))!;
    assert.equal(second.deliveryCount, 2);
    await assert.rejects(queue.complete(first), LockLostError);
    await assert.rejects(queue.abandon(first), LockLostError);
    await assert.rejects(queue.renewLock(first), LockLostError);
    await assert.rejects(queue.moveToDeadLetter(first), LockLostError);
    await queue.complete(second);
    assert.equal(second.getReference(), null);
    assert.equal(second.lockedUntil, null);
  });

  test("renewLock() keeps the message", async ({ open, text }) => {
    await using queue = await open({ receiveMode: "peekLock", lockTimeout: 50 });
    await queue.send(null, text("1"));
    const locked = (await queue.receive(null, 10_000))!;
    await queue.renewLock(locked, 60_000);
    assert.equal(await queue.receive(null, 120), null);
    await queue.complete(locked);
    assert.equal(await queue.readMessageCount(), 0);
  });

  test("abandon() with a delay gives the message back later", async ({ open, text, bodies }) => {
    await using queue = await open({ receiveMode: "peekLock" });
    await queue.sendBatch(null, ["1", "2"].map(text));
    const first = (await queue.receive(null, 10_000))!;
    const abandonedAt = Date.now();
    await queue.abandon(first, { delay: 60 });
    assert.deepEqual(bodies([(await queue.receive(null, 10_000))!]), ["2"]);
    assert.equal(await queue.readMessageCount(), 0);
    const again = (await queue.receive(null, 10_000))!;
    assert.equal(again.getMessageAsString(), "1");
    assert.ok(Date.now() - abandonedAt >= 59);
  });

  test("a peeked message can be locked, wherever it stands", async ({ open, text, bodies }) => {
    await using queue = await open();
    await queue.sendBatch(null, ["1", "2", "3"].map(text));
    const [, second] = await queue.peekBatch(null, 3);
    const [, copy] = await queue.peekBatch(null, 3);
    await queue.lock(second, 60_000);
    assert.ok(second.lockedUntil! > new Date());
    assert.equal(second.deliveryCount, 1);
    assert.deepEqual(bodies(await queue.peekBatch(null, 3)), ["1", "3"]);
    await assert.rejects(queue.lock(copy), LockLostError);
    await assert.rejects(queue.lock(second), LockLostError);
    await assert.rejects(queue.lock(second, -1), RangeError);
    await queue.abandon(second);
    assert.deepEqual(bodies(await queue.peekBatch(null, 3)), ["1", "2", "3"]);
    await queue.lock(copy);
    await queue.complete(copy);
    assert.deepEqual(bodies(await queue.receiveBatch(null, 3, 0)), ["1", "3"]);
  });

  test("a peeked copy settles its message while that is available", async ({ open, text, bodies }) => {
    await using queue = await open();
    await queue.sendBatch(null, ["1", "2", "3"].map(text));
    const copies: MessageEnvelope[] = await queue.peekBatch(null, 3);
    await queue.complete(copies[1]);
    await queue.complete(copies[1]);
    assert.deepEqual(bodies(await queue.peekBatch(null, 3)), ["1", "3"]);
    await queue.receive(null, 0, { mode: "peekLock" });
    await assert.rejects(queue.complete(copies[0]), LockLostError);
  });

  test("an envelope of another queue is refused", async ({ open, text }) => {
    await using queue = await open();
    await using other = await open({}, "other");
    await other.send(null, text("1"));
    const foreign = (await other.receive(null, 10_000, { mode: "peekLock" }))!;
    await assert.rejects(queue.complete(foreign), TypeError);
    await assert.rejects(queue.complete(text("never received")), TypeError);
  });

  test("a message that is delivered too often becomes a dead letter", async ({ open, text }) => {
    await using queue = await open({ receiveMode: "peekLock", maxDeliveries: 2 });
    const told = queueEvent(queue, "deadletter");
    const sent = text("poison");
    await queue.send(null, sent);
    for (let delivery = 1; delivery <= 2; delivery++) {
      const message = (await queue.receive(null, 10_000))!;
      assert.equal(message.deliveryCount, delivery);
      await queue.abandon(message);
    }
    assert.equal((await told).reason, "max-deliveries");
    assert.equal(await queue.readMessageCount(), 0);
    const [letter] = await queue.deadLetters.peekBatch(10);
    assert.equal(letter.id, sent.messageId);
    assert.equal(letter.reason, "max-deliveries");
    assert.equal(letter.deliveryCount, 2);
    assert.equal(letter.topic, "contract");
    assert.equal(letter.envelope.getMessageAsString(), "poison");
  });

  test("a lock that runs out for the last time makes a dead letter", async ({ open, text }) => {
    await using queue = await open({ receiveMode: "peekLock", maxDeliveries: 1, lockTimeout: 20 });
    const told = queueEvent(queue, "deadletter");
    await queue.send(null, text("slow"));
    await queue.receive(null, 10_000);
    await told;
    assert.equal(await queue.deadLetters.count(), 1);
  });

  for (const qos of [0, 1, 2] as QoS[]) {
    test(`dead letters are seen, redriven and purged from elsewhere, QoS ${qos}`, async (each) => {
      const { open, text, bodies } = each;
      const queue = await open({ qos });
      await queue.sendBatch(null, ["1", "2", "3"].map(text));
      for (const reason of ["bad", "worse", "worst"]) {
        const message = (await queue.receive(null, 10_000, { mode: "peekLock" }))!;
        message.userProperties.seen = "yes";
        await queue.moveToDeadLetter(message, { reason, description: "It did not fit." });
        await queue.moveToDeadLetter(message);
      }
      assert.equal(queue.stats().deadLettered, 3);
      await queue.close();
      await using elsewhere: MqttMessageQueue = await open({ qos });
      const letters = await elsewhere.deadLetters.peekBatch(10);
      assert.deepEqual(letters.map((letter) => letter.reason), ["bad", "worse", "worst"]);
      assert.deepEqual(bodies(letters.map((letter) => letter.envelope)), ["1", "2", "3"]);
      assert.equal(letters[0].description, "It did not fit.");
      assert.ok(letters[0].time.getTime() > Date.now() - 60_000);
      assert.equal(await elsewhere.deadLetters.redrive(letters[1].id), 1);
      const redriven = (await elsewhere.receive(null, 10_000))!;
      assert.equal(redriven.getMessageAsString(), "2");
      assert.equal(redriven.messageId, letters[1].id);
      assert.equal(await elsewhere.deadLetters.purge(letters[0].id), 1);
      assert.equal(await elsewhere.deadLetters.purge("unknown"), 0);
      assert.equal(await elsewhere.deadLetters.count(), 1);
      assert.equal(await elsewhere.deadLetters.redrive(), 1);
      assert.equal((await elsewhere.receive(null, 10_000))?.getMessageAsString(), "3");
      assert.equal(await elsewhere.deadLetters.purge(), 0);
    });
  }

  test("a wildcard queue does not take in its own dead letters", async ({ open, text }) => {
    await using queue = await open({ receiveMode: "peekLock" }, "#");
    await queue.send(null, text("1"), { topic: "somewhere/deep" });
    const message = (await queue.receive(null, 10_000))!;
    assert.equal(message.topic, "somewhere/deep");
    await queue.moveToDeadLetter(message);
    assert.equal(await queue.readMessageCount(), 0);
    const [letter] = await queue.deadLetters.peekBatch(1);
    assert.equal(letter.topic, "somewhere/deep");
    await queue.deadLetters.redrive();
    assert.equal((await queue.receive(null, 10_000))?.topic, "somewhere/deep");
  });

  test("a strange message id makes a dead letter like any other", async ({ open, text }) => {
    await using queue = await open({ receiveMode: "peekLock", serializeEnvelope: true });
    const sent = text("1");
    sent.messageId = "a/b+c#d e%å";
    await queue.send(null, sent);
    await queue.moveToDeadLetter((await queue.receive(null, 10_000))!);
    assert.equal((await queue.deadLetters.peekBatch(1))[0].id, sent.messageId);
    assert.equal(await queue.deadLetters.redrive(sent.messageId), 1);
    assert.equal((await queue.receive(null, 10_000))?.messageId, sent.messageId);
  });

  for (const ackOrder of ["arrival", "settled"] as const) {
    for (const qos of [1, 2] as QoS[]) {
      test(`ackOrder ${ackOrder} decides what comes again, QoS ${qos}`, async ({ open, text, bodies }) => {
        const options = { clientId: "worker", qos, ackOrder, receiveMode: "peekLock" as const };
        const first = await open(options);
        await first.sendBatch(null, ["1", "2", "3"].map(text));
        const held = [];
        while (held.length < 3) held.push(...await first.receiveBatch(null, 3, 10_000));
        await first.complete(held[1]);
        await first.close();
        await using second = await open(options);
        const expected = ackOrder === "arrival" ? ["1", "2", "3"] : ["1", "3"];
        assert.deepEqual(bodies(await second.peekBatch(null, 5)), expected);
      });
    }
  }

  test("listen() completes what its receiver took and hands on what it threw", async (each) => {
    const { open, text } = each;
    await using queue = await open();
    const failed = queueEvent(queue, "error");
    const seen: string[] = [];
    const done = Promise.withResolvers<void>();
    const listening = queue.listen(null, {
      receiveMessage(message, from) {
        assert.equal(from, queue);
        seen.push(`${message.getMessageAsString()}/${message.deliveryCount}`);
        if (seen.length === 1) throw new Error("not now");
        if (seen.length === 3) done.resolve();
      },
    });
    await queue.sendBatch(null, ["1", "2"].map(text));
    await done.promise;
    await queue.endListen();
    await listening;
    assert.deepEqual(seen, ["1/1", "1/2", "2/1"]);
    assert.match((await failed).error.message, /not now/);
    assert.equal(queue.stats().completed, 2);
    assert.equal(await queue.readMessageCount(), 0);
  });

  test("listen() takes what waited and keeps to its concurrency", async ({ open, text }) => {
    await using queue = await open();
    await queue.sendBatch(null, Array.from({ length: 20 }, (_, index) => text(`${index}`)));
    let running = 0;
    let most = 0;
    let done = 0;
    const finished = Promise.withResolvers<void>();
    queue.beginListen(null, async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve));
      running--;
      if (++done === 20) finished.resolve();
    }, { concurrency: 4 });
    await finished.promise;
    await queue.endListen();
    assert.equal(most, 4);
    assert.equal(queue.stats().completed, 20);
  });

  test("endListen() lets what runs finish and takes no more", async ({ open, text }) => {
    await using queue = await open();
    const started = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    queue.beginListen(null, async () => {
      started.resolve();
      await release.promise;
    });
    await queue.sendBatch(null, ["1", "2"].map(text));
    await started.promise;
    const ended = queue.endListen();
    release.resolve();
    await ended;
    assert.equal(queue.stats().completed, 1);
    assert.equal(await queue.readMessageCount(), 1);
    await queue.send(null, text("3"));
    assert.equal(await queue.readMessageCount(), 2);
  });

  test("a receiver that works longer than a lock keeps its message", async ({ open, text }) => {
    await using queue = await open({ lockTimeout: 30, maxDeliveries: 3 });
    const done = Promise.withResolvers<void>();
    let calls = 0;
    queue.beginListen(null, async () => {
      calls++;
      await new Promise((resolve) => setTimeout(resolve, 150));
      done.resolve();
    }, { concurrency: 2 });
    await queue.send(null, text("long"));
    await done.promise;
    await queue.endListen();
    assert.equal(calls, 1);
    assert.equal(queue.stats().completed, 1);
  });

  test("a receiver may end its own listen()", async ({ open, text }) => {
    await using queue = await open();
    const listening = queue.listen(null, async () => await queue.endListen());
    await queue.sendBatch(null, ["1", "2"].map(text));
    await listening;
    assert.equal(queue.stats().completed, 1);
    assert.equal(await queue.readMessageCount(), 1);
  });

  test("close() ends listen(), and an aborted signal does", async ({ open, text }) => {
    const queue = await open();
    const abort = new AbortController();
    const aborted = queue.listen(null, () => {}, { signal: abort.signal });
    const closed = queue.listen(null, () => {});
    await queue.send(null, text("1"));
    abort.abort();
    await aborted;
    await queue.close();
    await closed;
  });

  test("an aborted signal ends messages() as it ends listen(), without an error", async (each) => {
    const { open, text, bodies } = each;
    await using queue = await open();
    await queue.sendBatch(null, ["1", "2"].map(text));
    const abort = new AbortController();
    const seen: MessageEnvelope[] = [];
    for await (const message of queue.messages({ signal: abort.signal })) {
      seen.push(message);
      abort.abort(new Error("enough"));
    }
    assert.deepEqual(bodies(seen), ["1"]);
    for await (const _ of queue.messages({ signal: abort.signal })) assert.fail("taken");
    await queue.listen(null, () => assert.fail("taken"), { signal: abort.signal });
    assert.deepEqual(bodies(await queue.peekBatch(null, 5)), ["2"]);
  });

  test("messages() completes what the loop went past and gives back what it left", async (each) => {
    const { open, text, bodies } = each;
    await using queue = await open();
    await queue.sendBatch(null, ["1", "2", "3"].map(text));
    const seen: (string | null)[] = [];
    for await (const message of queue.messages()) {
      seen.push(message.getMessageAsString());
      if (seen.length === 2) break;
    }
    assert.deepEqual(seen, ["1", "2"]);
    assert.deepEqual(bodies(await queue.peekBatch(null, 5)), ["2", "3"]);
    assert.equal(queue.stats().completed, 1);
  });

  test("an id that is no level of a topic makes a dead letter all the same", async (each) => {
    const { open, text, broker } = each;
    await using queue = await open({ receiveMode: "peekLock", serializeEnvelope: true });
    const ids = ["å".repeat(20_000), "", "\ud800", "."];
    await using raw = await connectRaw(broker.url);
    for (const id of ids) {
      const json = { ...text("1").toJSON(), message_id: id };
      await raw.client.publishAsync("contract", JSON.stringify(json), { qos: 1 });
      const message = (await queue.receive(null, 10_000))!;
      await queue.moveToDeadLetter(message);
    }
    const letters = await queue.deadLetters.peekBatch(10);
    assert.deepEqual(letters.map((letter) => letter.id).sort(), ids.sort());
    assert.equal(await queue.deadLetters.redrive(ids.at(-1)), 1);
    assert.equal(await queue.deadLetters.purge(), 3);
    assert.equal(queue.stats().reconnects, 0);
  });

  test("what is among the dead letters and is none is shown, purged, never redriven", async (each) => {
    const { open, broker, text } = each;
    await using queue = await open({ receiveMode: "peekLock" });
    await using raw = await connectRaw(broker.url);
    const noOrigin = { ...text("1").toJSON(), dead_letter: { time: "" } };
    const strange = { "a b": "text", "100%": "{}", "%2f": JSON.stringify(noOrigin) };
    for (const [level, payload] of Object.entries(strange)) {
      const topic = `dead-letter/contract/${level}`;
      await raw.client.publishAsync(topic, payload, { qos: 1, retain: true });
    }
    await queue.send(null, text("ours"));
    await queue.moveToDeadLetter((await queue.receive(null, 10_000))!);
    const letters = await queue.deadLetters.peekBatch(10);
    assert.deepEqual(letters.map(({ reason }) => reason).sort(), [
      "rejected",
      "unreadable",
      "unreadable",
      "unreadable",
    ]);
    assert.equal(await queue.deadLetters.redrive(), 1);
    assert.equal((await queue.receive(null, 10_000))?.getMessageAsString(), "ours");
    assert.equal(await queue.deadLetters.purge(), 3);
    assert.equal(await queue.deadLetters.count(), 0);
  });

  test("a body that its receiver changed or gave away comes again as it was", async (each) => {
    const { open, text } = each;
    await using queue = await open({ receiveMode: "peekLock", serializeEnvelope: false });
    await queue.send(null, text("intact"));
    const first = (await queue.receive(null, 10_000))!;
    first.message!.fill(0);
    await queue.abandon(first);
    const second = (await queue.receive(null, 10_000))!;
    assert.equal(second.getMessageAsString(), "intact");
    structuredClone(second.message, { transfer: [second.message!.buffer as ArrayBuffer] });
    await queue.abandon(second);
    const third = (await queue.receive(null, 10_000))!;
    assert.equal(third.getMessageAsString(), "intact");
    await queue.complete(third);
    assert.equal(queue.stats().bufferedBytes, 0);
  });

  test("a message on its way to the dead letters is nobody else's", async ({ open, text }) => {
    await using queue = await open({ receiveMode: "peekLock", lockTimeout: 20 });
    await queue.send(null, text("1"));
    const message = (await queue.receive(null, 10_000))!;
    const moved = queue.moveToDeadLetter(message);
    await queue.abandon(message);
    await queue.complete(message);
    assert.equal(queue.stats().available, 0);
    await moved;
    assert.equal(await queue.deadLetters.count(), 1);
    assert.equal(queue.stats().completed, 0);
  });
}
