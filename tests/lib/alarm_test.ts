import assert from "node:assert/strict";
import { Alarm } from "../../lib/alarm.ts";
import { MockClock } from "./mock_clock.ts";

Deno.test("an alarm rings once, at its time", () => {
  using clock = new MockClock(1_000);
  let rings = 0;
  const alarm = new Alarm(() => rings++);
  alarm.by(1_500);
  clock.tick(499);
  assert.equal(rings, 0);
  clock.tick(1);
  assert.equal(rings, 1);
  clock.tick(10_000);
  assert.equal(rings, 1);
});

Deno.test("the earlier of two times counts, whichever was asked for first", () => {
  using clock = new MockClock(1_000);
  const rings: number[] = [];
  const alarm = new Alarm(() => rings.push(Date.now()));
  alarm.by(1_500);
  alarm.by(1_200);
  alarm.by(1_900);
  clock.tick(2_000);
  assert.deepEqual(rings, [1_200]);
});

Deno.test("an alarm may be set again while it rings", () => {
  using clock = new MockClock(1_000);
  const rings: number[] = [];
  const alarm = new Alarm(() => {
    rings.push(Date.now());
    if (rings.length < 3) alarm.by(Date.now() + 100);
  });
  alarm.by(1_100);
  clock.tick(1_000);
  assert.deepEqual(rings, [1_100, 1_200, 1_300]);
});

Deno.test("a time in the past rings as soon as a timer can", () => {
  using clock = new MockClock(1_000);
  let rings = 0;
  new Alarm(() => rings++).by(-5);
  assert.equal(rings, 0);
  clock.tick(1);
  assert.equal(rings, 1);
});

Deno.test("stop() silences an alarm for good", () => {
  using clock = new MockClock(1_000);
  let rings = 0;
  const alarm = new Alarm(() => rings++);
  alarm.by(1_100);
  alarm.stop();
  clock.tick(1_000);
  assert.equal(rings, 0);
  alarm.by(2_100);
  clock.tick(100);
  assert.equal(rings, 0);
});

Deno.test("no time at all sets no timer", () => {
  using clock = new MockClock();
  let rings = 0;
  new Alarm(() => rings++).by(Infinity);
  clock.tick(2_147_483_647);
  assert.equal(rings, 0);
});

Deno.test("a time beyond the longest timer rings early, so that it is set again", () => {
  using clock = new MockClock(0);
  const rings: number[] = [];
  const alarm = new Alarm(() => {
    rings.push(Date.now());
    if (Date.now() < 3_000_000_000) alarm.by(3_000_000_000);
  });
  alarm.by(3_000_000_000);
  clock.tick(2_147_483_647);
  clock.tick(852_516_353);
  assert.deepEqual(rings, [2_147_483_647, 3_000_000_000]);
});
