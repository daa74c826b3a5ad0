import assert from "node:assert/strict";
import { type Deadline, DeadlineHeap } from "../../lib/deadline_heap.ts";
import { pseudoRandom } from "./pseudo_random.ts";

function item(): Deadline {
  return { deadline: Infinity, heapIndex: -1 };
}

Deno.test("an empty heap has no deadline and nothing due", () => {
  const heap = new DeadlineHeap();
  assert.equal(heap.next, Infinity);
  assert.equal(heap.popDue(Infinity), undefined);
});

Deno.test("popDue() takes the earliest first and stops at now", () => {
  const heap = new DeadlineHeap<Deadline>();
  const [a, b, c] = [item(), item(), item()];
  heap.set(a, 30);
  heap.set(b, 10);
  heap.set(c, 20);
  assert.equal(heap.next, 10);
  assert.equal(heap.popDue(9), undefined);
  assert.equal(heap.popDue(20), b);
  assert.equal(heap.popDue(20), c);
  assert.equal(heap.popDue(20), undefined);
  assert.deepEqual([heap.next, heap.size], [30, 1]);
});

Deno.test("set() replaces the deadline that an item has", () => {
  const heap = new DeadlineHeap<Deadline>();
  const [a, b] = [item(), item()];
  heap.set(a, 10);
  heap.set(b, 20);
  heap.set(a, 30);
  assert.deepEqual([heap.next, heap.size, a.deadline], [20, 2, 30]);
  heap.set(a, 5);
  assert.equal(heap.next, 5);
});

Deno.test("a deadline of Infinity takes the item out", () => {
  const heap = new DeadlineHeap<Deadline>();
  const only = item();
  heap.set(only, 10);
  heap.set(only, Infinity);
  assert.deepEqual([heap.size, heap.next, only.heapIndex], [0, Infinity, -1]);
});

Deno.test("delete() of an item that is not in is harmless", () => {
  const heap = new DeadlineHeap<Deadline>();
  heap.set(item(), 10);
  heap.delete(item());
  assert.equal(heap.size, 1);
});

Deno.test("an item that was taken out can come in again", () => {
  const heap = new DeadlineHeap<Deadline>();
  const only = item();
  heap.set(only, 10);
  heap.popDue(10);
  assert.equal(only.deadline, Infinity);
  heap.set(only, 20);
  assert.equal(heap.popDue(20), only);
});

for (const seed of [1, 2, 3]) {
  Deno.test(`any changes leave the deadlines in order (seed ${seed})`, () => {
    const random = pseudoRandom(seed);
    const heap = new DeadlineHeap<Deadline>();
    const items = Array.from({ length: 100 }, item);
    const model = new Map<Deadline, number>();
    for (let step = 0; step < 3_000; step++) {
      const each = items[random(items.length)];
      if (random(4) === 0) {
        heap.delete(each);
        model.delete(each);
      } else {
        const deadline = random(50);
        heap.set(each, deadline);
        model.set(each, deadline);
      }
      assert.equal(heap.size, model.size);
      assert.equal(heap.next, Math.min(...model.values()));
    }
    const popped: number[] = [];
    for (let each = heap.popDue(Infinity); each !== undefined; each = heap.popDue(Infinity)) {
      popped.push(model.get(each)!);
    }
    assert.deepEqual(popped, [...model.values()].sort((a, b) => a - b));
  });
}
