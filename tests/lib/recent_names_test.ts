import assert from "node:assert/strict";
import { RecentNames } from "../../lib/recent_names.ts";

Deno.test("the last names are remembered, older ones are forgotten", () => {
  const names = new RecentNames(3);
  for (const name of ["a", "b", "c"]) names.add(name);
  assert.deepEqual(["a", "b", "c", "d"].map((name) => names.has(name)), [true, true, true, false]);
  for (const name of ["d", "e", "f"]) names.add(name);
  assert.ok(["a", "b", "c", "d", "e", "f"].every((name) => names.has(name)));
  names.add("g");
  assert.deepEqual(["a", "b", "c", "d", "g"].map((name) => names.has(name)), [
    ...[false, false, false],
    ...[true, true],
  ]);
});

Deno.test("of many names at least the limit and at most twice as many are remembered", () => {
  const names = new RecentNames(100);
  for (let number = 0; number < 10_050; number++) names.add(`${number}`);
  const known = Array.from({ length: 10_050 }, (_, number) => names.has(`${number}`));
  assert.equal(known.filter(Boolean).length, 150);
  assert.ok(known.slice(-150).every(Boolean));
});
