import assert from "node:assert/strict";
import { ReadingGate } from "../../lib/reading_gate.ts";

function setUp() {
  const changes: boolean[] = [];
  return { changes, gate: new ReadingGate((stops) => changes.push(stops)) };
}

Deno.test("reading stops while as much is held as may be", () => {
  const { changes, gate } = setUp();
  for (const full of [true, true, false, false]) gate.setFull(full);
  assert.deepEqual(changes, [true, false]);
});

Deno.test("reading stops where packet ids run short, and goes on when half of them are free", () => {
  const { changes, gate } = setUp();
  for (const held of [49_151, 49_152, 60_000, 24_576, 24_575, 49_151]) gate.count(held);
  assert.deepEqual([changes, gate.isCrowded], [[true, false], false]);
});

Deno.test("either reason is enough, and both must go", () => {
  const { changes, gate } = setUp();
  gate.setFull(true);
  gate.count(50_000);
  gate.setFull(false);
  assert.deepEqual([changes, gate.stops], [[true], true]);
  gate.count(0);
  assert.deepEqual([changes, gate.stops], [[true, false], false]);
});

Deno.test("who waits for reading to stop is told, each time anew", async () => {
  const { gate } = setUp();
  const first = gate.stalled;
  gate.setFull(true);
  await first;
  await gate.stalled;
  gate.open();
  let told = false;
  gate.stalled.then(() => told = true);
  await Promise.resolve();
  assert.equal(told, false);
  gate.setFull(true);
  await Promise.resolve();
  assert.equal(told, true);
});
