import assert from "node:assert/strict";
import { RecentNames } from "../../lib/recent_names.ts";

Deno.test("the last names are remembered, older ones are forgotten", () => {
  const names = new RecentNames(3);
  for (const name of ["a", "b", "c"]) names.add(name);
  assert.deepEqual(["a", "b", "c", "d"].map((name) => names.has(name)), [true, true, true, false]);
  names.add("d");
  assert.deepEqual(["a", "b", "c", "d"].map((name) => names.has(name)), [false, true, true, true]);
});

Deno.test("many names take no more room than the limit", () => {
  const names = new RecentNames(100);
  for (let number = 0; number < 10_000; number++) names.add(`${number}`);
  const known = Array.from({ length: 10_000 }, (_, number) => names.has(`${number}`));
  assert.equal(known.filter(Boolean).length, 100);
  assert.ok(known.slice(-100).every(Boolean));
});
