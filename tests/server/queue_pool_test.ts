import assert from "node:assert/strict";
import { ConnectionError } from "../../mod.ts";
import { EmbeddedBroker } from "../../server/broker.ts";
import { QueuePool } from "../../server/queue_pool.ts";
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
