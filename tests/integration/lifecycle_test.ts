import assert from "node:assert/strict";
import {
  ConnectionError,
  MessageEnvelope,
  MqttMessageQueue,
  QueueClosedError,
  type QueueOptions,
} from "../../mod.ts";
import { obedientReply } from "../faults/obedient_reply.ts";
import { FakeBroker } from "../support/fake_broker.ts";
import { Mosquitto } from "../support/mosquitto.ts";
import { queueEvent } from "../support/queue_event.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";

const WAIT_MS = 10_000;

function queueAt(url: string, options: QueueOptions = {}): MqttMessageQueue {
  return new MqttMessageQueue("lifecycle", { url, ...options });
}

function text(body: string): MessageEnvelope {
  return new MessageEnvelope(null, "job", body);
}

/** What begins the first subscription of a queue, and how it ends where the queue is closed meanwhile. */
const FIRST_CALLS: Record<string, { call: (queue: MqttMessageQueue) => unknown; ends: boolean }> = {
  "receive()": { call: (queue) => queue.receive(null, WAIT_MS), ends: false },
  "readMessageCount()": { call: (queue) => queue.readMessageCount(), ends: false },
  "listen()": { call: (queue) => queue.listen(null, () => {}), ends: true },
  "messages()": { call: (queue) => queue.messages().next(), ends: true },
};

for (const [name, { call, ends }] of Object.entries(FIRST_CALLS)) {
  Deno.test(`close() while ${name} is subscribing ends both, and leaves no link`, async () => {
    await using broker = await Mosquitto.start();
    await using proxy = new TcpProxy(broker.port);
    for (const clientId of [undefined, "worker"]) {
      for (let turns = 0; turns < 12; turns++) {
        const queue = queueAt(proxy.url, { clientId });
        await queue.open();
        const called = Promise.resolve(call(queue)).then(() => "ended", (error) => error);
        for (let turn = 0; turn < turns; turn++) await null;
        await queue.close();
        const outcome = await called;
        if (ends) assert.equal(outcome, "ended");
        else assert.ok(outcome instanceof QueueClosedError, `${outcome}`);
        await proxy.empty();
      }
    }
  });
}

Deno.test("close() does not wait for a credential function that the subscription waits for", async () => {
  await using broker = await Mosquitto.start();
  await using proxy = new TcpProxy(broker.port);
  let asked = 0;
  const { promise: subscribing, resolve } = Promise.withResolvers<void>();
  const username = () => {
    if (++asked === 1) return "somebody"; // The sending link.
    resolve();
    return new Promise<string>(() => {});
  };
  const queue = queueAt(proxy.url, { username });
  await queue.open();
  const receiving = assert.rejects(queue.receive(null, WAIT_MS), QueueClosedError);
  await subscribing;
  await queue.close();
  await receiving;
  await proxy.empty();
});

Deno.test("what was called last decides, of close() and open() at once", async () => {
  await using broker = await Mosquitto.start();
  const queue = queueAt(broker.url);
  await queue.open();
  const between = [queue.close(), queue.open(), queue.close()];
  assert.deepEqual((await Promise.allSettled(between)).map(({ status }) => status), [
    ...["fulfilled", "rejected", "fulfilled"],
  ]);
  assert.equal(queue.isOpen(), false);
  await Promise.all(
    [queue.open(), queue.close().then(() => queue.open())].map((each) => each.catch(() => {}) // The first is cancelled by the close.
    ),
  );
  assert.equal(queue.isOpen(), true);
  await queue.close();
});

Deno.test("an open() that its caller gave up does not end the one of another", async () => {
  for (const turns of [4, 8, 16, 32]) {
    const asked = Promise.withResolvers<void>();
    let connects = 0;
    await using broker = new FakeBroker((packet) => {
      if (packet.cmd !== "connect" || ++connects > 1) return obedientReply(packet);
      asked.resolve();
      return "silence";
    });
    await using queue = queueAt(broker.url, { protocolVersion: 5 });
    const given = new AbortController();
    const first = assert.rejects(queue.open(null, { signal: given.signal }), /gave up/);
    await asked.promise;
    given.abort(new Error("gave up"));
    for (let turn = 0; turn < turns; turn++) await null; // The attempt is on its way out.
    await queue.open();
    await first;
    assert.equal(queue.isOpen(), true);
  }
});

Deno.test("the signal of open() ends its wait for a close() that runs", async () => {
  await using broker = await Mosquitto.start();
  const queue = queueAt(broker.url, { autoSubscribe: true, lockTimeout: WAIT_MS });
  await queue.open();
  const { promise: working, resolve: done } = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  queue.beginListen(null, () => (started.resolve(), working));
  await queue.send(null, text("1"));
  await started.promise;
  const closing = queue.close();
  await assert.rejects(queue.open(null, { signal: AbortSignal.timeout(20) }), /timeout/);
  done();
  await closing;
});

Deno.test("a link that is lost for good is told by every call that needs it", async () => {
  await using broker = await Mosquitto.start();
  await using proxy = new TcpProxy(broker.port);
  const own = { clientId: "worker", autoSubscribe: true } as const;
  const queue = queueAt(proxy.url, { ...own, retryConnect: false, receiveMode: "peekLock" });
  await queue.open();
  await queue.send(null, text("1"));
  const held = (await queue.receive(null, WAIT_MS))!;
  const waiting = assert.rejects(queue.receive(null, Infinity), ConnectionError);
  const listening = queue.listen(null, () => {});
  const gone = queueEvent(queue, "statechange", ({ state }) => state === "disconnected");
  proxy.cut();
  await gone;
  await waiting;
  await listening;
  for (
    const call of [
      () => queue.send(null, text("2")),
      () => queue.receive(null, WAIT_MS),
      () => queue.peek(null),
      () => queue.readMessageCount(),
      () => queue.complete(held),
    ]
  ) await assert.rejects(call, ConnectionError);
  await queue.close();
  await using successor = queueAt(broker.url, own);
  await successor.open();
  assert.equal((await successor.receive(null, WAIT_MS))?.getMessageAsString(), "1");
});

Deno.test("a send that waits ends when the link is lost for good", async () => {
  await using broker = await Mosquitto.start();
  await using proxy = new TcpProxy(broker.port);
  await using queue = queueAt(proxy.url, { retryConnect: false });
  await queue.open();
  proxy.swallow(true);
  const sending = assert.rejects(queue.send(null, text("1")), ConnectionError);
  proxy.cut();
  proxy.swallow(false);
  await sending;
});

Deno.test("a broker that answers no ping is given up after one and a half keepalive periods", async () => {
  let silent = false;
  await using broker = new FakeBroker((packet) => {
    return silent && packet.cmd === "pingreq" ? "silence" : obedientReply(packet);
  });
  await using queue = queueAt(broker.url, { autoSubscribe: true, keepaliveTimeout: 1_000 });
  await queue.open();
  silent = true;
  const silentSince = Date.now();
  const { cause } = await queueEvent(queue, "statechange", ({ state }) => state === "reconnecting");
  assert.match(cause!.message, /Keepalive timeout/);
  const took = Date.now() - silentSince;
  assert.ok(took > 900 && took < 2_900, `${took} ms`); // Twice as long would be 3 s.
  silent = false;
});

Deno.test("handlers that end listening at once do not wait for each other", async () => {
  await using broker = await Mosquitto.start();
  await using queue = queueAt(broker.url, { autoSubscribe: true });
  await queue.open();
  const both = Promise.withResolvers<void>();
  let running = 0;
  const handle = async () => {
    if (++running === 2) both.resolve();
    await both.promise;
    await queue.endListen();
  };
  const listening = [queue.listen(null, handle), queue.listen(null, handle)];
  await queue.sendBatch(null, ["1", "2"].map(text));
  await Promise.all(listening);
  assert.equal(queue.stats().completed, 2);
});

Deno.test("close() lets a handler finish, and its message is completed", async () => {
  await using broker = await Mosquitto.start();
  const options = { clientId: "worker", autoSubscribe: true };
  const queue = queueAt(broker.url, options);
  await queue.open();
  const started = Promise.withResolvers<void>();
  queue.beginListen(null, async () => {
    started.resolve();
    await new Promise((resolve) => setTimeout(resolve, 50));
  });
  await queue.send(null, text("1"));
  await started.promise;
  await queue.close();
  await using successor = queueAt(broker.url, options);
  await successor.open();
  assert.equal(await successor.readMessageCount(), 0);
});
