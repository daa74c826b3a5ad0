import assert from "node:assert/strict";
import { PacketIds } from "../../lib/packet_ids.ts";

const MAX_ID = 65_535;

Deno.test("ids are given out in turn, from 1, whoever asks", () => {
  const ids = new PacketIds();
  assert.equal(ids.getLastAllocated(), null);
  assert.deepEqual([ids.allocate(), ids.next(), ids.allocate()], [1, 2, 3]);
  assert.equal(ids.getLastAllocated(), 3);
});

Deno.test("an id that was freed is not the next one", () => {
  const ids = new PacketIds();
  ids.allocate();
  ids.deallocate(1);
  assert.equal(ids.allocate(), 2);
});

Deno.test("after 65535 comes 1, and what MQTT.js has is passed over", () => {
  const ids = new PacketIds();
  for (let id = 1; id <= MAX_ID; id++) assert.equal(ids.allocate(), id);
  ids.deallocate(2);
  assert.equal(ids.allocate(), 2);
});

Deno.test("ids that somebody else uses are passed over", () => {
  const taken = new Set([1, 2, 4]);
  const ids = new PacketIds((id) => taken.has(id));
  assert.deepEqual([ids.next(), ids.allocate()], [3, 5]);
  taken.delete(2);
  for (let id = 6; id <= MAX_ID; id++) assert.equal(ids.next(), id);
  assert.deepEqual([ids.next(), ids.next()], [2, 3]);
});

Deno.test("what next() gave is free unless its taker says otherwise", () => {
  const ids = new PacketIds();
  for (let id = 1; id <= MAX_ID; id++) ids.next();
  assert.equal(ids.next(), 1);
});

Deno.test("there is null where every id is in use", () => {
  const taken = new Set<number>();
  const ids = new PacketIds((id) => taken.has(id));
  for (let id = 1; id <= MAX_ID; id++) {
    if (id % 2 === 0) ids.allocate();
    else taken.add(ids.next()!);
  }
  assert.deepEqual([ids.allocate(), ids.next()], [null, null]);
  ids.deallocate(8);
  assert.equal(ids.allocate(), 8);
  taken.delete(9);
  assert.equal(ids.next(), 9);
});

Deno.test("register() takes an id once, and none that somebody else uses", () => {
  const ids = new PacketIds((id) => id === 3);
  assert.equal(ids.register(1), true);
  assert.equal(ids.register(1), false);
  assert.equal(ids.register(3), false);
  assert.equal(ids.allocate(), 2);
});

Deno.test("a new link frees the ids of MQTT.js alone and goes on in turn", () => {
  const taken = new Set([5]);
  const ids = new PacketIds((id) => taken.has(id));
  ids.allocate();
  ids.register(7);
  ids.clear();
  assert.equal(ids.register(7), true);
  assert.equal(ids.register(5), false);
  assert.equal(ids.allocate(), 2);
});
