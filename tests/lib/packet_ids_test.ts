import assert from "node:assert/strict";
import { PacketIds } from "../../lib/packet_ids.ts";

Deno.test("ids are given out in turn, from 1", () => {
  const ids = new PacketIds();
  assert.equal(ids.getLastAllocated(), null);
  assert.deepEqual([ids.allocate(), ids.allocate(), ids.allocate()], [1, 2, 3]);
  assert.equal(ids.getLastAllocated(), 3);
});

Deno.test("an id that was freed is not the next one", () => {
  const ids = new PacketIds();
  ids.allocate();
  ids.deallocate(1);
  assert.equal(ids.allocate(), 2);
});

Deno.test("after 65535 comes 1, and ids in use are passed over", () => {
  const ids = new PacketIds();
  for (let id = 1; id <= 65_535; id++) assert.equal(ids.allocate(), id);
  ids.deallocate(2);
  assert.equal(ids.allocate(), 2);
});

Deno.test("there is null where every id is in use", () => {
  const ids = new PacketIds();
  for (let id = 1; id <= 65_535; id++) ids.allocate();
  assert.equal(ids.allocate(), null);
  ids.deallocate(9);
  assert.equal(ids.allocate(), 9);
});

Deno.test("register() takes an id once", () => {
  const ids = new PacketIds();
  assert.equal(ids.register(1), true);
  assert.equal(ids.register(1), false);
  assert.equal(ids.allocate(), 2);
});

Deno.test("a new link frees every id and goes on in turn", () => {
  const ids = new PacketIds();
  ids.allocate();
  ids.register(7);
  ids.clear();
  assert.equal(ids.register(7), true);
  assert.equal(ids.allocate(), 2);
});
