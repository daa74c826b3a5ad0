import assert from "node:assert/strict";
import type { MessageEnvelope } from "../../mod.ts";
import { queueEvent } from "../support/queue_event.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";
import { contractTest } from "./contract_test_case.ts";
import type { ContractSetting } from "./queue_contract.ts";

const WAIT_MS = 10_000;

/** What every broker and version of the protocol must show where two settle a message at once. */
export function raceContract(setting: ContractSetting): void {
  const test = contractTest.bind(null, setting);

  test("a message that was completed becomes no dead letter, and nothing says so", async (each) => {
    const { open, text } = each;
    await using queue = await open({ receiveMode: "peekLock" });
    const told: unknown[] = [];
    queue.addEventListener("deadletter", ({ detail }) => void told.push(detail));
    await queue.send(null, text("1"));
    const message = (await queue.receive(null, WAIT_MS))!;
    await queue.complete(message);
    await queue.moveToDeadLetter(message);
    assert.deepEqual([told, queue.stats().deadLettered, await queue.deadLetters.count()], [
      ...[[], 0, 0],
    ]);
  });

  test("the event of a dead letter hands out a copy", async ({ open, text }) => {
    await using queue = await open({ receiveMode: "peekLock" });
    const told = queueEvent(queue, "deadletter");
    await queue.send(null, text("1"));
    const message = (await queue.receive(null, WAIT_MS))!;
    await queue.moveToDeadLetter(message, { reason: "odd" });
    const { envelope, reason } = await told;
    assert.notEqual(envelope, message);
    assert.deepEqual([envelope.getMessageAsString(), reason], ["1", "odd"]);
  });

  test("who settles a message that is on its way to the dead letters waits for that", async (each) => {
    const { broker, open, text } = each;
    await using proxy = new TcpProxy(Number(new URL(broker.url).port));
    await using queue = await open({ url: proxy.url, receiveMode: "peekLock" });
    await queue.send(null, text("1"));
    const message = (await queue.receive(null, WAIT_MS))!;
    proxy.swallow(true); // The copy does not reach the broker.
    const given = new AbortController();
    const moving = queue.moveToDeadLetter(message, { signal: given.signal });
    const completing = queue.complete(message);
    given.abort(new Error("enough"));
    await assert.rejects(moving, /enough/);
    await completing;
    proxy.swallow(false);
    assert.deepEqual([queue.stats().completed, queue.stats().locked], [1, 0]);
    assert.equal(await queue.receive(null, 0), null);
  });

  test("a message that was removed is either a dead letter or back, not both", async (each) => {
    const { open, text } = each;
    await using queue = await open();
    await queue.send(null, text("1"));
    const message = (await queue.receive(null, WAIT_MS))!;
    await Promise.all([queue.moveToDeadLetter(message), queue.abandon(message)]);
    assert.deepEqual([await queue.readMessageCount(), await queue.deadLetters.count()], [0, 1]);
  });

  test("what is given up again while it is redriven is not lost", async ({ open, text }) => {
    await using queue = await open();
    await using elsewhere = await open({ autoSubscribe: false });
    queue.beginListen(null, (message) => queue.moveToDeadLetter(message), { concurrency: 8 });
    const gone = (count: number) =>
      queueEvent(queue, "deadletter", () => queue.stats().deadLettered >= count);
    const first = gone(20);
    await queue.sendBatch(null, Array.from({ length: 20 }, (_, index) => text(`${index}`)));
    await first;
    for (let round = 2; round < 12; round++) {
      const again = gone(20 * round);
      assert.equal(await elsewhere.deadLetters.redrive(), 20);
      await again;
    }
    assert.equal(await elsewhere.deadLetters.count(), 20);
  });

  test("clear() drops those too that wait at the broker for room", async ({ open, text }) => {
    await using queue = await open({ maxBufferedBytes: 10_000 });
    const bodies = Array.from({ length: 50 }, () => text("x".repeat(1_000)));
    await queue.sendBatch(null, bodies);
    await queue.clear(null);
    assert.equal(await queue.readMessageCount(), 0);
  });

  test("closing gives up no message that is settled at the same time", async (each) => {
    const { open, text } = each;
    const own = { clientId: "worker", receiveMode: "peekLock" } as const;
    const queue = await open(own);
    await queue.sendBatch(null, ["1", "2", "3"].map(text));
    const held: MessageEnvelope[] = [];
    while (held.length < 3) held.push((await queue.receive(null, WAIT_MS))!);
    const settling = held.map((message) => queue.complete(message));
    await Promise.all([queue.close(), ...settling]);
    await using successor = await open(own);
    assert.equal(await successor.readMessageCount(), 0);
  });
}
