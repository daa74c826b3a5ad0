import assert from "node:assert/strict";
import { type QueueEvents, QueueEventTarget } from "../../lib/queue_events.ts";

class Target extends QueueEventTarget {
  tell<Type extends keyof QueueEvents>(type: Type, detail: () => QueueEvents[Type]): void {
    this.emit(type, detail);
  }
}

Deno.test("an event is told with its detail", () => {
  const target = new Target();
  const heard: unknown[] = [];
  target.addEventListener("sessionlost", (event) => heard.push(event.detail));
  target.tell("sessionlost", () => ({ reason: "forgotten", held: 3 }));
  assert.deepEqual(heard, [{ reason: "forgotten", held: 3 }]);
});

Deno.test("nothing is made where nobody listens", () => {
  const target = new Target();
  target.addEventListener("arrive", () => {});
  target.tell("error", () => assert.fail("nobody listens to this kind"));
});

Deno.test("a listener may be an object, and may be taken away", () => {
  const target = new Target();
  let heard = 0;
  const listener = { handleEvent: () => void heard++ };
  target.addEventListener("error", listener);
  target.tell("error", () => ({ error: new Error("one") }));
  target.removeEventListener("error", listener);
  target.tell("error", () => ({ error: new Error("two") }));
  assert.equal(heard, 1);
});

Deno.test("the options of addEventListener() hold", () => {
  const target = new Target();
  const abort = new AbortController();
  let heard = 0;
  target.addEventListener("error", () => heard++, { once: true });
  target.addEventListener("error", () => heard++, { signal: abort.signal });
  target.tell("error", () => ({ error: new Error("one") }));
  abort.abort();
  target.tell("error", () => ({ error: new Error("two") }));
  assert.equal(heard, 2);
});
