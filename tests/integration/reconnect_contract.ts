import assert from "node:assert/strict";
import {
  MessageEnvelope,
  MqttMessageQueue,
  type QoS,
  type QueueOptions,
  TimeoutError,
} from "../../mod.ts";
import { queueEvent } from "../support/queue_event.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";
import type { ContractSetting } from "./queue_contract.ts";

/** What every broker and version of the protocol must show of a queue whose link is cut. */
export function reconnectContract({ name, start, protocolVersion }: ContractSetting): void {
  const test = (
    what: string,
    run: (proxy: TcpProxy, open: (options?: QueueOptions) => Promise<MqttMessageQueue>) => Promise<
      void
    >,
  ) =>
    Deno.test(`${what} (${name})`, async () => {
      await using broker = await start();
      await using proxy = new TcpProxy(Number(new URL(broker.url).port));
      await run(proxy, async (options = {}) => {
        const queue = new MqttMessageQueue("reconnect", {
          url: proxy.url,
          protocolVersion,
          autoSubscribe: true,
          reconnectTimeout: 20,
          ...options,
        });
        await queue.open();
        return queue;
      });
    });
  const text = (body: string) => new MessageEnvelope(null, "mymessage", body);
  const bodies = (envelopes: MessageEnvelope[]) =>
    envelopes.map((envelope) => envelope.getMessageAsString());
  const back = (queue: MqttMessageQueue) =>
    queueEvent(queue, "statechange", ({ state }) => state === "connected");

  for (const qos of [1, 2] as QoS[]) {
    test(`what is held is not shown twice after a cut, QoS ${qos}`, async (proxy, open) => {
      await using queue = await open({ qos, receiveMode: "peekLock" });
      await queue.sendBatch(null, ["1", "2", "3"].map(text));
      const locked = (await queue.receive(null, 10_000))!;
      const again = back(queue);
      proxy.cut();
      await again;
      assert.equal(await queue.readMessageCount(), 2);
      assert.equal(queue.stats().redelivered, 3);
      await queue.complete(locked);
      assert.deepEqual(bodies(await queue.receiveBatch(null, 3, 10_000)), ["2", "3"]);
      assert.equal(queue.stats().locked, 2);
    });

    test(
      `what is settled while the link is down stays settled, QoS ${qos}`,
      async (proxy, open) => {
        await using queue = await open({ qos, receiveMode: "peekLock", clientId: "worker" });
        await queue.sendBatch(null, ["1", "2"].map(text));
        const locked = (await queue.receive(null, 10_000))!;
        const again = back(queue);
        proxy.refuse(true);
        proxy.cut();
        await queueEvent(queue, "statechange", ({ state }) => state === "reconnecting");
        await queue.complete(locked);
        proxy.refuse(false);
        await again;
        assert.equal(await queue.readMessageCount(), 1);
        await queue.close();
        await queue.open();
        assert.deepEqual(bodies(await queue.peekBatch(null, 5)), ["2"]);
      },
    );

    test(
      `an acknowledgement that got lost brings nothing back, QoS ${qos}`,
      async (proxy, open) => {
        await using queue = await open({ qos });
        await queue.sendBatch(null, ["1", "2"].map(text));
        proxy.swallow(true);
        assert.equal((await queue.receive(null, 10_000))?.getMessageAsString(), "1");
        const again = back(queue);
        proxy.cut();
        proxy.swallow(false);
        await again;
        assert.deepEqual(bodies(await queue.peekBatch(null, 5)), ["2"]);
      },
    );

    test(`sends wait for the link and go in order, QoS ${qos}`, async (proxy, open) => {
      await using queue = await open({ qos });
      proxy.refuse(true);
      const lost = queueEvent(queue, "statechange", ({ state }) => state === "reconnecting");
      proxy.cut();
      const { retryInMs, cause } = await lost;
      assert.ok(retryInMs! >= 10 && retryInMs! <= 20);
      assert.match(cause!.message, /Cannot keep the link/);
      const sent = queue.sendBatch(null, ["1", "2", "3"].map(text));
      proxy.refuse(false);
      await sent;
      const received = [];
      while (received.length < 3) received.push(...await queue.receiveBatch(null, 3, 10_000));
      assert.deepEqual(bodies(received), ["1", "2", "3"]);
      assert.equal(await queue.readMessageCount(), 0);
    });
  }

  for (const qos of [1, 2] as QoS[]) {
    test(
      `messages keep their order though links are cut with sends in flight, QoS ${qos}`,
      async (proxy, open) => {
        await using queue = await open({ qos, receiveMode: "peekLock" });
        const sent = Array.from({ length: 3_000 }, (_, index) => `${index}`);
        for (let from = 0; from < sent.length; from += 1_000) {
          proxy.mute(true); // The broker takes them, and its answers get lost.
          const carried = proxy.carried(20_000);
          const sends = sent.slice(from, from + 1_000).map((body) => queue.send(null, text(body)));
          await carried;
          assert.equal(queue.stats().pendingSends, 1_000);
          const again = back(queue);
          proxy.cut();
          proxy.mute(false);
          await Promise.all([...sends, again]);
        }
        const received: MessageEnvelope[] = [];
        while (received.length < sent.length) {
          received.push(...await queue.receiveBatch(null, sent.length, 10_000));
        }
        assert.deepEqual(bodies(received), sent);
        assert.equal(await queue.readMessageCount(), 0);
        assert.ok(queue.stats().reconnects >= 3);
      },
    );
  }

  test("a send at QoS 0 resolves when it is written, without an answer", async (proxy, open) => {
    await using queue = await open({ qos: 0 });
    proxy.swallow(true); // The broker does not get it, so nobody can have answered.
    await queue.send(null, text("written"));
    assert.deepEqual([queue.stats().sent, queue.stats().pendingSends], [1, 0]);
    const again = back(queue);
    proxy.cut();
    proxy.swallow(false);
    await again;
    assert.equal(await queue.readMessageCount(), 0, "it is not sent again");
  });

  test("no message of QoS 0 waits for a durable session that is away", async (_proxy, open) => {
    const durable = { clientId: "worker", qos: 1 } as const;
    await (await open(durable)).close();
    await using sender = await open({ autoSubscribe: false });
    await sender.send(null, text("gone"), { qos: 0 });
    await sender.send(null, text("kept"), { qos: 1 }); // It comes behind the other.
    await using queue = await open(durable);
    assert.deepEqual(bodies(await queue.peekBatch(null, 5)), ["kept"]);
  });

  test("a send that missed its deadline is not sent later", async (proxy, open) => {
    await using queue = await open({ sendTimeout: 50 });
    proxy.refuse(true);
    proxy.cut();
    await assert.rejects(queue.send(null, text("late")), TimeoutError);
    const again = back(queue);
    proxy.refuse(false);
    await again;
    await queue.send(null, text("in time"));
    assert.deepEqual(bodies(await queue.peekBatch(null, 5)), ["in time"]);
  });

  test("an aborted send is not sent later", async (proxy, open) => {
    await using queue = await open();
    proxy.refuse(true);
    proxy.cut();
    const abort = new AbortController();
    const sent = queue.send(null, text("withdrawn"), { signal: abort.signal });
    abort.abort(new Error("enough"));
    await assert.rejects(sent, /enough/);
    const again = back(queue);
    proxy.refuse(false);
    await again;
    assert.equal(await queue.readMessageCount(), 0);
  });

  test("a waiting receive() outlives a cut", async (proxy, open) => {
    await using queue = await open();
    const received = queue.receive(null, 10_000);
    const again = back(queue);
    proxy.cut();
    await again;
    await queue.send(null, text("at last"));
    assert.equal((await received)?.getMessageAsString(), "at last");
  });

  test("without retryConnect a lost link stays lost and is told", async (proxy, open) => {
    await using queue = await open({ retryConnect: false });
    const lost = queueEvent(queue, "statechange", ({ state }) => state === "disconnected");
    proxy.cut();
    await lost;
    assert.ok(queue.isOpen());
    assert.equal(queue.state, "disconnected");
    assert.equal(proxy.links, 0);
  });

  test("close() ends a queue whose broker is gone", async (proxy, open) => {
    const queue = await open();
    proxy.refuse(true);
    proxy.cut();
    await queueEvent(queue, "statechange", ({ state }) => state === "reconnecting");
    const sent = assert.rejects(queue.send(null, text("never")), { name: "QueueClosedError" });
    await queue.close();
    await sent;
  });

  test(
    "every wait ends with its signal, before it begins and while the broker is silent",
    async (proxy, open) => {
      await using queue = await open({ receiveMode: "peekLock" });
      await queue.sendBatch("123", ["1", "2"].map(text));
      const locked = (await queue.receive("123", 10_000))!;
      const waits: Record<string, (signal: AbortSignal) => Promise<unknown>> = {
        send: (signal) => queue.send("123", text("3"), { signal }),
        receive: (signal) => queue.receive("123", 60_000, { signal }),
        receiveBatch: (signal) => queue.receiveBatch("123", 2, 60_000, { signal }),
        peek: (signal) => queue.peek("123", { signal }),
        peekBatch: (signal) => queue.peekBatch("123", 9, { signal }),
        readMessageCount: (signal) => queue.readMessageCount({ signal }),
        clear: (signal) => queue.clear("123", { signal }),
        moveToDeadLetter: (signal) => queue.moveToDeadLetter(locked, { signal }),
        peekDeadLetters: (signal) => queue.deadLetters.peekBatch(9, { signal }),
        countDeadLetters: (signal) => queue.deadLetters.count({ signal }),
        redrive: (signal) => queue.deadLetters.redrive(undefined, { signal }),
        purge: (signal) => queue.deadLetters.purge(undefined, { signal }),
      };
      const ends = async (begin: (signal: AbortSignal) => Promise<unknown>, what: string) => {
        const abort = new AbortController();
        const ended = assert.rejects(begin(abort.signal), new RegExp(`enough of ${what}`));
        setTimeout(() => abort.abort(new Error(`enough of ${what}`)), 5);
        await ended;
      };
      for (const [what, wait] of Object.entries(waits)) {
        const early = AbortSignal.abort(new Error("too early"));
        await assert.rejects(wait(early), /too early/, what);
      }
      await queue.receive("123", 10_000); // What is at hand needs no wait.
      proxy.swallow(true);
      for (const [what, wait] of Object.entries(waits)) await ends(wait, what);
      proxy.swallow(false);
      proxy.cut();
      assert.equal(locked.getReference() === null, false, "the message is still the caller's");
    },
  );
}
