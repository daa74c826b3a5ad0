import assert from "node:assert/strict";
import { fingerprint } from "../../lib/fingerprint.ts";

/** How many of 64 parts of a range hold how much more or less than their share, at the most. */
function unevenness(numbers: readonly number[], range: number): number {
  const parts = new Array(64).fill(0);
  for (const number of numbers) parts[Math.floor(number / range * 64)]++;
  const share = numbers.length / 64;
  return Math.max(...parts.map((count) => Math.abs(count - share) / share));
}

Deno.test("the same texts have the same fingerprint, a whole number of 53 bits that is not 0", () => {
  for (const texts of [[], [""], ["a"], ["a", "b"], ["☃🎈", "\0"], ["x".repeat(70_000)]]) {
    const first = fingerprint(texts);
    assert.equal(first, fingerprint([...texts]));
    assert.ok(Number.isSafeInteger(first) && first > 0, `${first}`);
  }
});

Deno.test("texts that are alike have fingerprints that are not", () => {
  const alike = [
    ...[[], [""], ["", ""], ["ab"], ["a", "b"], ["", "ab"], ["ab", ""], ["ba"], ["a b"]],
    ...[["a"], ["a\0"], ["\0a"], ["b"], ["aa"], ["a", "a"], ["\u0061\u0100"], ["\u0161"]],
  ];
  for (let number = 0; number < 2_000; number++) alike.push([`${number}`], ["m", `${number}`]);
  assert.equal(new Set(alike.map(fingerprint)).size, alike.length);
});

Deno.test("a hundred thousand ids have as many fingerprints, spread evenly high and low", () => {
  for (const idOf of [(number: number) => `order-${number}`, () => crypto.randomUUID()]) {
    const prints = Array.from({ length: 100_000 }, (_, number) => fingerprint([idOf(number), "t"]));
    assert.equal(new Set(prints).size, prints.length);
    assert.ok(unevenness(prints, 2 ** 53) < 0.15);
    assert.ok(unevenness(prints.map((print) => print % 65_536), 65_536) < 0.15);
  }
});
