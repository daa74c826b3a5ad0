import assert from "node:assert/strict";
import { RateMeter } from "../../server/rate_meter.ts";

Deno.test("RateMeter tells the last second, and the busiest one in each three for three minutes", () => {
  const meter = new RateMeter();
  meter.tick(100, 50);
  assert.deepEqual(meter.now, { arrived: 0, sent: 0 });
  assert.deepEqual(meter.peaks, new Array(60).fill(0));
  meter.tick(102, 51);
  meter.tick(107, 51);
  meter.tick(108, 51);
  assert.deepEqual(meter.now, { arrived: 1, sent: 0 });
  meter.tick(117, 51);
  assert.deepEqual(meter.peaks.slice(-3), [0, 5, 9]);
  for (let second = 5; second < 180; second++) meter.tick(117, 51);
  assert.deepEqual(meter.peaks.slice(0, 3), [5, 9, 0]);
  for (let second = 0; second < 6; second++) meter.tick(117, 51);
  assert.deepEqual(meter.peaks, new Array(60).fill(0));
});

Deno.test("RateMeter takes a counter that began anew for no arrivals", () => {
  const meter = new RateMeter();
  meter.tick(100, 100);
  meter.tick(0, 0);
  assert.deepEqual(meter.now, { arrived: 0, sent: 0 });
});
