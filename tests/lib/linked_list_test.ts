import assert from "node:assert/strict";
import { LinkedList } from "../../lib/linked_list.ts";

Deno.test("a new list is empty", () => {
  const list = new LinkedList<number>();
  assert.deepEqual([list.first, list.last, list.size, [...list]], [null, null, 0, []]);
});

Deno.test("push() appends in order", () => {
  const list = new LinkedList<number>();
  for (const value of [1, 2, 3]) list.push(value);
  assert.deepEqual([...list], [1, 2, 3]);
  assert.deepEqual([list.first?.value, list.last?.value, list.size], [1, 3, 3]);
});

Deno.test("insertBefore() and insertAfter() put a value beside another", () => {
  const list = new LinkedList<string>();
  const middle = list.push("c");
  list.insertBefore(middle, "b");
  list.insertAfter(middle, "d");
  list.insertBefore(list.first!, "a");
  list.insertAfter(list.last!, "e");
  assert.equal([...list].join(""), "abcde");
  assert.deepEqual([list.first?.value, list.last?.value, list.size], ["a", "e", 5]);
});

for (
  const { where, index, left } of [
    { where: "first", index: 0, left: "bc" },
    { where: "middle", index: 1, left: "ac" },
    { where: "last", index: 2, left: "ab" },
  ]
) {
  Deno.test(`remove() takes the ${where} node out`, () => {
    const list = new LinkedList<string>();
    const nodes = [..."abc"].map((letter) => list.push(letter));
    list.remove(nodes[index]);
    assert.equal([...list].join(""), left);
    assert.deepEqual([list.first?.value, list.last?.value], [left.at(0), left.at(-1)]);
    assert.equal(list.last?.previous, list.first);
    assert.equal(list.size, 2);
  });
}

Deno.test("a list can be walked backwards as well", () => {
  const list = new LinkedList<string>();
  const last = list.push("d");
  list.insertBefore(last, "b");
  list.insertAfter(list.first!, "c");
  list.insertBefore(list.first!, "a");
  let letters = "";
  for (let node = list.last; node !== null; node = node.previous) letters += node.value;
  assert.equal(letters, "dcba");
});

Deno.test("a list that was emptied can be filled again", () => {
  const list = new LinkedList<number>();
  list.remove(list.push(1));
  assert.deepEqual([list.first, list.last, list.size], [null, null, 0]);
  list.push(2);
  assert.deepEqual([...list], [2]);
});
