import assert from "node:assert/strict";
import { RecentNames } from "../../lib/recent_names.ts";

Deno.test("the last names are remembered, older ones are forgotten", () => {
  const names = new RecentNames(3);
  for (const name of [1, 2, 3]) names.add(name);
  assert.deepEqual([1, 2, 3, 4].map((name) => names.has(name)), [true, true, true, false]);
  for (const name of [4, 5, 6]) names.add(name);
  assert.ok([1, 2, 3, 4, 5, 6].every((name) => names.has(name)));
  names.add(7);
  assert.deepEqual([1, 2, 3, 4, 7].map((name) => names.has(name)), [
    ...[false, false, false],
    ...[true, true],
  ]);
});

Deno.test("of many names at least the limit and at most twice as many are remembered", () => {
  const names = new RecentNames(100);
  for (let number = 1; number <= 10_050; number++) names.add(number);
  const known = Array.from({ length: 10_050 }, (_, number) => names.has(number + 1));
  assert.equal(known.filter(Boolean).length, 150);
  assert.ok(known.slice(-150).every(Boolean));
});
