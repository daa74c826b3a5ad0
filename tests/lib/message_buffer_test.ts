import assert from "node:assert/strict";
import { type BufferEntry, MessageBuffer } from "../../lib/message_buffer.ts";
import { delivery } from "./deliveries.ts";
import { pseudoRandom } from "./pseudo_random.ts";

/** A buffer that holds `a`, `b`, `c` and so on, from time 0. */
function filled(count: number): { buffer: MessageBuffer; entries: BufferEntry[] } {
  const buffer = new MessageBuffer();
  const entries = Array.from(
    { length: count },
    (_, index) => buffer.add(delivery(String.fromCharCode(97 + index)), 0),
  );
  return { buffer, entries };
}

function available(buffer: MessageBuffer): string {
  return buffer.peek(Infinity).map(nameOf).join("");
}

function nameOf(entry: BufferEntry): string {
  return new TextDecoder().decode(entry.delivery.payload);
}

Deno.test("messages are available in the order in which they arrived", () => {
  const { buffer } = filled(3);
  assert.equal(available(buffer), "abc");
  assert.equal(nameOf(buffer.oldest()!), "a");
  assert.deepEqual([buffer.available, buffer.locked, buffer.size], [3, 0, 3]);
});

Deno.test("an empty buffer has nothing", () => {
  const buffer = new MessageBuffer();
  assert.equal(buffer.oldest(), undefined);
  assert.deepEqual(buffer.peek(5), []);
  assert.deepEqual([buffer.bytes, buffer.nextDeadline], [0, Infinity]);
});

Deno.test("peek() stops at max", () => {
  assert.equal(filled(5).buffer.peek(2).map(nameOf).join(""), "ab");
});

Deno.test("lock() hides a message, counts the delivery and sets the deadline", () => {
  const { buffer, entries } = filled(2);
  const lock = buffer.lock(entries[0], 100);
  assert.equal(entries[0].lock, lock);
  assert.deepEqual([entries[0].state, entries[0].deliveryCount], ["locked", 1]);
  assert.deepEqual([buffer.available, buffer.locked, buffer.size], [1, 1, 2]);
  assert.equal(available(buffer), "b");
  assert.equal(buffer.nextDeadline, 100);
});

Deno.test("every lock is another object", () => {
  const { buffer, entries: [entry] } = filled(1);
  const first = buffer.lock(entry, 100);
  buffer.release(entry);
  assert.notEqual(buffer.lock(entry, 100), first);
});

Deno.test("release() gives a message back to its place", () => {
  const { buffer, entries } = filled(5);
  for (const entry of entries) buffer.lock(entry, 100);
  for (const index of [2, 0, 4, 1, 3]) buffer.release(entries[index]);
  assert.equal(available(buffer), "abcde");
  assert.deepEqual([buffer.locked, buffer.nextDeadline], [0, Infinity]);
});

Deno.test("release() finds the place between neighbours that are locked", () => {
  const { buffer, entries } = filled(7);
  for (const index of [1, 2, 3, 4, 5]) buffer.lock(entries[index], 100);
  buffer.release(entries[3]);
  assert.equal(available(buffer), "adg");
});

Deno.test("release() with a time delays the message until then", () => {
  const { buffer, entries } = filled(2);
  buffer.lock(entries[0], 100);
  buffer.release(entries[0], 50);
  assert.deepEqual([entries[0].state, buffer.locked, buffer.available], ["delayed", 0, 1]);
  buffer.expire(49);
  assert.equal(available(buffer), "b");
  assert.deepEqual(buffer.expire(50), { unlocked: [], expired: [] });
  assert.equal(available(buffer), "ab");
});

Deno.test("expire() gives a message back whose lock ran out", () => {
  const { buffer, entries } = filled(3);
  buffer.lock(entries[1], 100);
  assert.deepEqual(buffer.expire(99).unlocked, []);
  assert.deepEqual(buffer.expire(100).unlocked, [entries[1]]);
  assert.deepEqual([entries[1].lock, entries[1].state, buffer.locked], [null, "available", 0]);
  assert.equal(available(buffer), "abc");
});

Deno.test("renew() moves the end of a lock, either way", () => {
  const { buffer, entries } = filled(1);
  buffer.lock(entries[0], 100);
  buffer.renew(entries[0], 200);
  assert.deepEqual(buffer.expire(150).unlocked, []);
  buffer.renew(entries[0], 160);
  assert.deepEqual(buffer.expire(160).unlocked, entries);
});

Deno.test("expire() removes an available message whose time is over", () => {
  const buffer = new MessageBuffer();
  const brief = buffer.add(delivery("x", { properties: { messageExpiryInterval: 2 } }), 1_000);
  buffer.add(delivery("y"), 1_000);
  assert.equal(buffer.nextDeadline, 3_000);
  assert.deepEqual(buffer.expire(2_999).expired, []);
  assert.deepEqual(buffer.expire(3_000).expired, [brief]);
  assert.deepEqual([available(buffer), brief.state, buffer.size], ["y", "removed", 1]);
});

Deno.test("a locked message does not expire before its lock is given up", () => {
  const buffer = new MessageBuffer();
  const entry = buffer.add(delivery("x", { properties: { messageExpiryInterval: 1 } }), 0);
  buffer.lock(entry, 5_000);
  assert.deepEqual(buffer.expire(2_000), { unlocked: [], expired: [] });
  buffer.release(entry);
  assert.deepEqual(buffer.expire(2_000).expired, [entry]);
});

Deno.test("a delay does not outlast the message", () => {
  const buffer = new MessageBuffer();
  const entry = buffer.add(delivery("x", { properties: { messageExpiryInterval: 1 } }), 0);
  buffer.lock(entry, 500);
  buffer.release(entry, 5_000);
  assert.deepEqual(buffer.expire(1_000).expired, [entry]);
});

Deno.test("detain() locks without counting and without an end", () => {
  const { buffer, entries } = filled(2);
  const lock = buffer.detain(entries[0]);
  assert.deepEqual([entries[0].lock, entries[0].deliveryCount], [lock, 0]);
  assert.deepEqual([buffer.locked, buffer.available, buffer.nextDeadline], [1, 1, Infinity]);
});

Deno.test("detain() takes a lock over, and a delay", () => {
  const { buffer, entries } = filled(2);
  const before = buffer.lock(entries[0], 100);
  assert.notEqual(buffer.detain(entries[0]), before);
  buffer.lock(entries[1], 100);
  buffer.release(entries[1], 200);
  buffer.detain(entries[1]);
  assert.deepEqual(buffer.expire(1_000), { unlocked: [], expired: [] });
  assert.deepEqual([buffer.locked, buffer.available], [2, 0]);
});

for (const state of ["available", "locked", "delayed"] as const) {
  Deno.test(`remove() lets go of a message that is ${state}`, () => {
    const { buffer, entries } = filled(3);
    if (state !== "available") buffer.lock(entries[1], 100);
    if (state === "delayed") buffer.release(entries[1], 100);
    buffer.remove(entries[1]);
    assert.equal(available(buffer), "ac");
    assert.deepEqual([buffer.size, buffer.locked, buffer.nextDeadline], [2, 0, Infinity]);
    buffer.remove(entries[1]);
    assert.equal(buffer.size, 2);
  });
}

Deno.test("restore() puts a removed message back where it stood", () => {
  const { buffer, entries } = filled(5);
  for (const index of [3, 0, 4, 1]) buffer.remove(entries[index]);
  for (const index of [1, 4, 3, 0]) buffer.restore(entries[index]);
  assert.equal(available(buffer), "abcde");
  buffer.restore(entries[0]);
  assert.equal(buffer.size, 5);
});

Deno.test("bytes are the payloads and a fixed share for each message", () => {
  const buffer = new MessageBuffer();
  const entry = buffer.add(delivery(new Uint8Array(1_000)), 0);
  const share = buffer.bytes - 1_000;
  assert.ok(share > 0);
  buffer.add(delivery(new Uint8Array()), 0);
  assert.equal(buffer.bytes, 1_000 + 2 * share);
  buffer.remove(entry);
  assert.equal(buffer.bytes, share);
  buffer.restore(entry);
  assert.equal(buffer.bytes, 1_000 + 2 * share);
});

Deno.test("oldestDroppable() is the oldest available message of QoS 0", () => {
  const buffer = new MessageBuffer();
  buffer.add(delivery("a"), 0);
  assert.equal(buffer.oldestDroppable(), undefined);
  const first = buffer.add(delivery("b", { qos: 0, packetId: null }), 0);
  const second = buffer.add(delivery("c", { qos: 0, packetId: null }), 0);
  assert.equal(buffer.oldestDroppable(), first);
  buffer.lock(first, 100);
  assert.equal(buffer.oldestDroppable(), second);
});

/** What the buffer must do, said as simply as possible: one array, looked through each time. */
interface Modelled {
  entry: BufferEntry;
  size: number;
  state: "available" | "locked" | "delayed" | "removed";
  until: number;
  expiresAt: number;
  deliveries: number;
}

for (const seed of [1, 2, 3, 4, 5]) {
  Deno.test(`any sequence of operations agrees with a plain array (seed ${seed})`, () => {
    const random = pseudoRandom(seed);
    const buffer = new MessageBuffer();
    const model: Modelled[] = [];
    const share = 512;
    let now = 0;

    const pick = (...states: Modelled["state"][]): Modelled | undefined => {
      const fitting = model.filter(({ state }) => states.includes(state));
      return fitting[random(Math.max(fitting.length, 1))];
    };
    const operations: Record<string, () => void> = {
      add() {
        const size = random(100);
        const seconds = random(4) === 0 ? 1 + random(3) : undefined;
        const properties = seconds === undefined ? {} : { messageExpiryInterval: seconds };
        const entry = buffer.add(delivery(new Uint8Array(size), { properties }), now);
        const expiresAt = seconds === undefined ? Infinity : now + seconds * 1_000;
        model.push({ entry, size, state: "available", until: 0, expiresAt, deliveries: 0 });
      },
      lockOldest() {
        const oldest = model.find(({ state }) => state === "available");
        assert.equal(buffer.oldest(), oldest?.entry);
        if (oldest === undefined) return;
        oldest.until = now + 1 + random(3_000);
        buffer.lock(oldest.entry, oldest.until);
        oldest.state = "locked";
        oldest.deliveries++;
      },
      lockAny() {
        const any = pick("available");
        if (any === undefined) return;
        any.until = now + 1 + random(3_000);
        buffer.lock(any.entry, any.until);
        any.state = "locked";
        any.deliveries++;
      },
      release() {
        const locked = pick("locked");
        if (locked === undefined) return;
        buffer.release(locked.entry);
        locked.state = "available";
      },
      delay() {
        const locked = pick("locked", "available");
        if (locked === undefined) return;
        const availableAt = now + 1 + random(3_000);
        buffer.release(locked.entry, availableAt);
        locked.state = "delayed";
        locked.until = Math.min(availableAt, locked.expiresAt);
      },
      renew() {
        const locked = pick("locked");
        if (locked === undefined) return;
        locked.until = now + 1 + random(3_000);
        buffer.renew(locked.entry, locked.until);
      },
      detain() {
        const any = pick("available", "locked", "delayed");
        if (any === undefined) return;
        buffer.detain(any.entry);
        any.state = "locked";
        any.until = Infinity;
      },
      remove() {
        const any = pick("available", "locked", "delayed");
        if (any === undefined) return;
        buffer.remove(any.entry);
        any.state = "removed";
      },
      restore() {
        const removed = pick("removed");
        if (removed === undefined) return;
        buffer.restore(removed.entry);
        removed.state = "available";
      },
      expire() {
        now += random(1_500);
        buffer.expire(now);
        for (const each of model) {
          if ((each.state === "locked" || each.state === "delayed") && each.until <= now) {
            each.state = "available";
          }
          if (each.state === "available" && each.expiresAt <= now) each.state = "removed";
        }
      },
    };

    const names = Object.keys(operations);
    for (let step = 0; step < 3_000; step++) {
      const name = random(3) === 0 ? "add" : names[random(names.length)];
      operations[name]();
      const context = `after step ${step}, ${name}`;
      const held = model.filter(({ state }) => state !== "removed");
      const ready = held.filter(({ state }) => state === "available");
      const entriesOf = (some: Modelled[]) => some.map(({ entry }) => entry);
      const same = (actual: BufferEntry[], expected: BufferEntry[], what: string) =>
        assert.ok(
          actual.length === expected.length && actual.every((each, at) => each === expected[at]),
          `${what} ${context}`,
        );
      same(buffer.peek(Infinity), entriesOf(ready), "available");
      assert.equal(buffer.available, ready.length, context);
      assert.equal(buffer.locked, held.filter(({ state }) => state === "locked").length, context);
      assert.equal(buffer.size, held.length, context);
      assert.equal(buffer.bytes, held.reduce((sum, { size }) => sum + size + share, 0), context);
      const deadlines = held.map(({ state, until, expiresAt }) =>
        state === "available" ? expiresAt : until
      );
      assert.equal(buffer.nextDeadline, Math.min(...deadlines), context);
      for (const { entry, state, deliveries } of model) {
        assert.equal(entry.state, state, context);
        assert.equal(entry.deliveryCount, deliveries, context);
        assert.equal(entry.lock !== null, state === "locked", context);
      }
    }
  });
}

Deno.test("a message whose lock ends after it expired goes once", () => {
  const buffer = new MessageBuffer();
  const expiring = { ...delivery(), properties: { messageExpiryInterval: 1 } };
  const entry = buffer.add(expiring, 0);
  const other = buffer.add(delivery(), 0);
  buffer.lock(entry, 2_000);
  assert.deepEqual(buffer.expire(3_000), { unlocked: [], expired: [entry] });
  assert.deepEqual([buffer.size, buffer.locked, buffer.oldest()], [1, 0, other]);
});

Deno.test("a payload that was transferred away still counts for what it was", () => {
  const buffer = new MessageBuffer();
  const payload = new Uint8Array(1_000);
  const entry = buffer.add(delivery(payload), 0);
  structuredClone(payload, { transfer: [payload.buffer] });
  buffer.remove(entry);
  assert.equal(buffer.bytes, 0);
});

Deno.test("the message of QoS 0 to drop is the oldest that is available", () => {
  const buffer = new MessageBuffer();
  buffer.add({ ...delivery(), qos: 1 }, 0);
  const entries = [0, 1].map(() => buffer.add({ ...delivery(), qos: 0, packetId: null }, 0));
  buffer.lock(entries[0], 100);
  assert.equal(buffer.oldestDroppable(), entries[1]);
  buffer.remove(entries[1]);
  assert.equal(buffer.oldestDroppable(), undefined);
  buffer.release(entries[0]);
  assert.equal(buffer.oldestDroppable(), entries[0]);
});
