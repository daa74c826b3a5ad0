import assert from "node:assert/strict";
import { MessageEnvelope } from "../../lib/message_envelope.ts";
import { MessageListener, type MessageSource } from "../../lib/message_listener.ts";
import { MockClock, settled } from "./mock_clock.ts";

const LOCK_TIMEOUT = 300;

/** A source that gives out what is put in, and writes down what is asked of it. */
class FakeSource implements MessageSource {
  readonly lockTimeout = LOCK_TIMEOUT;
  readonly told: string[] = [];
  readonly #waiting: MessageEnvelope[] = [];
  readonly #receivers: ((envelope: MessageEnvelope) => void)[] = [];

  put(...bodies: string[]): void {
    for (const body of bodies) {
      const envelope = new MessageEnvelope(null, null, body);
      envelope.setReference({});
      const receiver = this.#receivers.shift();
      if (receiver === undefined) this.#waiting.push(envelope);
      else receiver(envelope);
    }
  }

  receive(signal: AbortSignal): Promise<MessageEnvelope | null> {
    const next = this.#waiting.shift();
    if (next !== undefined) return Promise.resolve(next);
    return new Promise((resolve, reject) => {
      this.#receivers.push(resolve);
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  }

  complete(envelope: MessageEnvelope): void {
    this.told.push(`complete ${envelope.getMessageAsString()}`);
  }

  abandon(envelope: MessageEnvelope): void {
    this.told.push(`abandon ${envelope.getMessageAsString()}`);
  }

  renewLock(envelope: MessageEnvelope): void {
    this.told.push(`renew ${envelope.getMessageAsString()}`);
  }

  onError(error: Error): void {
    this.told.push(`error ${error.message}`);
  }
}

Deno.test("a message is completed when its handler resolves", async () => {
  const source = new FakeSource();
  const listener = new MessageListener(source);
  const handled: (string | null)[] = [];
  source.put("a", "b");
  const done = listener.run((envelope) => handled.push(envelope.getMessageAsString()), 1);
  await settled();
  await listener.stop();
  await done;
  assert.deepEqual(handled, ["a", "b"]);
  assert.deepEqual(source.told, ["complete a", "complete b"]);
});

for (
  const [how, handler] of [
    ["throws", () => {
      throw new Error("bad");
    }],
    ["rejects", () => Promise.reject(new Error("bad"))],
    // deno-lint-ignore no-throw-literal -- handlers may
    ["throws what is no error", () => {
      throw "bad";
    }],
  ] as [string, () => unknown][]
) {
  Deno.test(`a message is abandoned and told about when its handler ${how}`, async () => {
    const source = new FakeSource();
    const listener = new MessageListener(source);
    source.put("a");
    listener.run(handler, 1);
    await settled();
    await listener.stop();
    assert.deepEqual(source.told, ["error bad", "abandon a"]);
  });
}

Deno.test("one handler at a time runs by default, and the next message waits for it", async () => {
  const source = new FakeSource();
  const listener = new MessageListener(source);
  const started: (string | null)[] = [];
  const first = Promise.withResolvers<void>();
  source.put("a", "b");
  listener.run((envelope) => {
    started.push(envelope.getMessageAsString());
    return started.length === 1 ? first.promise : undefined;
  }, 1);
  await settled();
  assert.deepEqual(started, ["a"]);
  first.resolve();
  await settled();
  assert.deepEqual(started, ["a", "b"]);
  await listener.stop();
});

Deno.test("as many handlers run at once as concurrency allows", async () => {
  const source = new FakeSource();
  const listener = new MessageListener(source);
  const gate = Promise.withResolvers<void>();
  let running = 0;
  source.put("a", "b", "c", "d");
  listener.run(() => {
    running++;
    return gate.promise;
  }, 3);
  await settled();
  assert.equal(running, 3);
  gate.resolve();
  await settled();
  assert.equal(running, 4);
  await listener.stop();
});

Deno.test("stop() takes no more and waits for what runs", async () => {
  const source = new FakeSource();
  const listener = new MessageListener(source);
  const gate = Promise.withResolvers<void>();
  source.put("a", "b");
  const done = listener.run(() => gate.promise, 1);
  await settled();
  let stopped = false;
  const stopping = listener.stop().then(() => stopped = true);
  await settled();
  assert.equal(stopped, false);
  gate.resolve();
  await stopping;
  await done;
  assert.deepEqual(source.told, ["complete a"]);
});

Deno.test("a signal stops the listener as stop() does", async () => {
  const source = new FakeSource();
  const abort = new AbortController();
  const done = new MessageListener(source, abort.signal).run(() => {}, 2);
  await settled();
  abort.abort(new Error("enough"));
  await done;
  assert.deepEqual(source.told, []);
});

Deno.test("a listener whose signal is aborted takes nothing", async () => {
  const source = new FakeSource();
  source.put("a");
  await new MessageListener(source, AbortSignal.abort()).run(() => assert.fail("taken"), 1);
  assert.deepEqual(source.told, []);
});

Deno.test("a source that fails ends the listener and is told", async () => {
  const source = new FakeSource();
  source.receive = () => Promise.reject(new Error("closed"));
  await new MessageListener(source).run(() => {}, 1);
  assert.deepEqual(source.told, ["error closed"]);
});

Deno.test("the lock is renewed while the handler works, and not afterwards", async () => {
  using clock = new MockClock();
  const source = new FakeSource();
  const listener = new MessageListener(source);
  const gate = Promise.withResolvers<void>();
  source.put("a");
  listener.run(() => gate.promise, 1);
  await settled();
  clock.tick(LOCK_TIMEOUT);
  assert.deepEqual(source.told, ["renew a", "renew a", "renew a"]);
  gate.resolve();
  await settled();
  clock.tick(LOCK_TIMEOUT);
  assert.deepEqual(source.told.slice(3), ["complete a"]);
  await listener.stop();
});

Deno.test("the lock of a message that the handler has settled is not renewed", async () => {
  using clock = new MockClock();
  const source = new FakeSource();
  const listener = new MessageListener(source);
  const gate = Promise.withResolvers<void>();
  source.put("a");
  listener.run((envelope) => {
    envelope.setReference(null);
    return gate.promise;
  }, 1);
  await settled();
  clock.tick(LOCK_TIMEOUT);
  assert.deepEqual(source.told, []);
  gate.resolve();
  await listener.stop();
});

Deno.test("a lock that was lost shows when the message is settled", async () => {
  using clock = new MockClock();
  const source = new FakeSource();
  const lost = () => {
    throw new Error("lock lost");
  };
  source.renewLock = lost;
  source.complete = lost;
  const listener = new MessageListener(source);
  const gate = Promise.withResolvers<void>();
  source.put("a", "b");
  listener.run((envelope) => envelope.getMessageAsString() === "a" ? gate.promise : undefined, 1);
  await settled();
  clock.tick(LOCK_TIMEOUT);
  assert.deepEqual(source.told, []);
  gate.resolve();
  await settled();
  assert.deepEqual(source.told, ["error lock lost", "error lock lost"]);
  await listener.stop();
});

Deno.test("messages() completes a message when the next is asked for", async () => {
  const source = new FakeSource();
  const messages = new MessageListener(source).messages();
  source.put("a", "b");
  assert.equal((await messages.next()).value?.getMessageAsString(), "a");
  assert.deepEqual(source.told, []);
  assert.equal((await messages.next()).value?.getMessageAsString(), "b");
  assert.deepEqual(source.told, ["complete a"]);
  await messages.return();
});

Deno.test("leaving the loop gives back what is at hand and takes no more", async () => {
  const source = new FakeSource();
  source.put("a", "b");
  for await (const envelope of new MessageListener(source).messages()) {
    assert.equal(envelope.getMessageAsString(), "a");
    break;
  }
  assert.deepEqual(source.told, ["abandon a"]);
});

Deno.test("an error in the loop gives the message back and reaches the caller", async () => {
  const source = new FakeSource();
  source.put("a");
  await assert.rejects(async () => {
    for await (const _ of new MessageListener(source).messages()) throw new Error("bad");
  }, /bad/);
  assert.deepEqual(source.told, ["abandon a"]);
});

Deno.test("stop() ends a loop that waits", async () => {
  const source = new FakeSource();
  const listener = new MessageListener(source);
  const next = listener.messages().next();
  await settled();
  await listener.stop();
  assert.deepEqual(await next, { done: true, value: undefined });
});
