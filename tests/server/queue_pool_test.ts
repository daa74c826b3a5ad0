import assert from "node:assert/strict";
import { ConnectionError } from "../../mod.ts";
import { EmbeddedBroker } from "../../server/broker.ts";
import { PoolFullError, QueuePool } from "../../server/queue_pool.ts";
import { freePort } from "../support/free_port.ts";

Deno.test("a queue of the pool is opened once for all who ask, and closed when nobody did for a while", async () => {
  await using broker = await EmbeddedBroker.start({ port: 0 });
  await using pool = new QueuePool({ url: broker.url, autoSubscribe: true }, { idleMs: 1 });
  const closed = Promise.withResolvers<void>();
  const [first, second] = await Promise.all([1, 2].map(() =>
    pool.use("a", (keeper) => {
      keeper.queue.addEventListener("statechange", ({ detail }) => {
        if (detail.state === "closed") closed.resolve();
      });
      return Promise.resolve(keeper);
    })
  ));
  assert.equal(first, second);
  await closed.promise;
  assert.deepEqual(pool.keepers, []);
  const third = await pool.use("a", (keeper) => Promise.resolve(keeper));
  assert.notEqual(third, first);
});

Deno.test("a queue that could not be opened is no part of the pool", async () => {
  await using pool = new QueuePool({ url: `mqtt://127.0.0.1:${freePort()}` });
  await assert.rejects(pool.use("a", () => Promise.resolve()), ConnectionError);
  assert.deepEqual(pool.keepers, []);
});

Deno.test("a queue that is held stays open until the last lets go of it", async () => {
  await using broker = await EmbeddedBroker.start({ port: 0 });
  await using pool = new QueuePool({ url: broker.url, autoSubscribe: true });
  const [first, second] = [pool.hold("a"), pool.hold("a")];
  assert.equal(first.keeper, second.keeper);
  await first.keeper.start();
  await first.release();
  await first.release(); // Twice is harmless: the second still holds it.
  assert.ok(second.keeper.queue.isOpen());
  await second.release();
  assert.equal(second.keeper.queue.isOpen(), false);
  assert.deepEqual(pool.keepers, []);
});

Deno.test("a queue that is held and was used besides waits for who may come back", async () => {
  await using broker = await EmbeddedBroker.start({ port: 0 });
  await using pool = new QueuePool({ url: broker.url, autoSubscribe: true });
  const held = pool.hold("a");
  const used = await pool.use("a", (keeper) => Promise.resolve(keeper));
  assert.equal(used, held.keeper);
  await held.release();
  assert.deepEqual(pool.keepers, [used]);
  assert.ok(used.queue.isOpen());
});

Deno.test("a queue is held before its broker is there, and let go of just the same", async () => {
  await using pool = new QueuePool({ url: `mqtt://127.0.0.1:${freePort()}` });
  const held = pool.hold("a");
  assert.deepEqual(pool.keepers, [held.keeper]);
  await held.release();
  assert.deepEqual(pool.keepers, []);
});

Deno.test("16 queues are lent at most, and a place is free again", async () => {
  await using pool = new QueuePool({ url: `mqtt://127.0.0.1:${freePort()}` });
  const all = Array.from({ length: 16 }, (_, i) => pool.hold(`topic/${i}`));
  assert.throws(() => pool.hold("one/more"), PoolFullError);
  await assert.rejects(pool.use("one/more", () => Promise.resolve()), PoolFullError);
  pool.hold("topic/0"); // One of those that are there already.
  await all[1].release();
  pool.hold("one/more");
});

Deno.test("what is no topic is refused before anything is opened", async () => {
  await using pool = new QueuePool({ url: `mqtt://127.0.0.1:${freePort()}` });
  for (const topic of ["", "a/#/b", "a+", "a/b#", "\0", "x".repeat(65_536)]) {
    assert.throws(() => pool.hold(topic), TypeError, topic.slice(0, 10));
  }
  assert.deepEqual(pool.keepers, []);
});
