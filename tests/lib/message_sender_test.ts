import assert from "node:assert/strict";
import type { OutgoingMessage } from "../../lib/connection.ts";
import {
  NotSupportedError,
  QueueClosedError,
  QueueFullError,
  TimeoutError,
} from "../../lib/errors.ts";
import { MessageSender } from "../../lib/message_sender.ts";
import { FakeConnection } from "./fake_connection.ts";
import { MockClock, settled } from "./mock_clock.ts";

const SEND_TIMEOUT = 1_000;

/** A sender whose timers stand still; closed at the end of the scope. */
class Setting implements Disposable {
  readonly clock = new MockClock();
  readonly connection = new FakeConnection();
  readonly sender: MessageSender;
  /** What became of each send, in the order in which it became known. */
  readonly outcomes: string[] = [];

  constructor(maxPending = 100) {
    this.sender = new MessageSender(this.connection, { sendTimeout: SEND_TIMEOUT, maxPending });
  }

  send(body: string, given: Partial<OutgoingMessage> = {}, signal?: AbortSignal): void {
    this.sender.send(message(body, given), signal).then(
      () => this.outcomes.push(`${body} sent`),
      (error) => this.outcomes.push(`${body} ${error.name}`),
    );
  }

  [Symbol.dispose](): void {
    this.sender.close();
    this.clock[Symbol.dispose]();
  }
}

function message(body = "", given: Partial<OutgoingMessage> = {}): OutgoingMessage {
  const payload = new TextEncoder().encode(body);
  return { topic: "t", payload, qos: 1, retain: false, properties: {}, ...given };
}

Deno.test("send() resolves when the broker has the message, and not before", async () => {
  using setting = new Setting();
  const { connection, sender, outcomes } = setting;
  setting.send("a");
  await settled();
  assert.deepEqual([connection.bodies, outcomes, sender.pending], [["a"], [], 1]);
  connection.published[0].done();
  await settled();
  assert.deepEqual([outcomes, sender.pending], [["a sent"], 0]);
});

Deno.test("send() rejects with what the broker says", async () => {
  using setting = new Setting();
  setting.send("a");
  setting.connection.published[0].done(new RangeError("no"));
  await settled();
  assert.deepEqual(setting.outcomes, ["a RangeError"]);
});

Deno.test("messages are handed over in order, as far as the window reaches", async () => {
  using setting = new Setting();
  const { connection } = setting;
  connection.limits.receiveMaximum = 2;
  for (const body of "abcd") setting.send(body);
  assert.deepEqual(connection.bodies, ["a", "b"]);
  connection.published[1].done();
  assert.deepEqual(connection.bodies, ["a", "b", "c"]);
  connection.published[0].done();
  connection.published[2].done();
  assert.deepEqual(connection.bodies, ["a", "b", "c", "d"]);
  await settled();
  assert.deepEqual(setting.outcomes, ["b sent", "a sent", "c sent"]);
});

Deno.test("QoS 0 does not wait for the window", () => {
  using setting = new Setting();
  setting.connection.limits.receiveMaximum = 1;
  setting.send("a");
  setting.send("b", { qos: 0 });
  setting.send("c", { qos: 0 });
  assert.deepEqual(setting.connection.bodies, ["a", "b", "c"]);
});

Deno.test("QoS 0 does not overtake what waits for the window", () => {
  using setting = new Setting();
  setting.connection.limits.receiveMaximum = 1;
  setting.send("a");
  setting.send("b");
  setting.send("c", { qos: 0 });
  assert.deepEqual(setting.connection.bodies, ["a"]);
  setting.connection.published[0].done();
  assert.deepEqual(setting.connection.bodies, ["a", "b", "c"]);
});

Deno.test("an answer while a message is handed over does not disturb the order", async () => {
  using setting = new Setting();
  const { connection } = setting;
  connection.writable = false;
  for (const body of "abc") setting.send(body, { qos: 0 });
  const publish = connection.publish.bind(connection);
  connection.publish = (each) => {
    publish(each);
    each.answer();
  };
  connection.writable = true;
  setting.sender.pump();
  await settled();
  assert.deepEqual(connection.bodies, ["a", "b", "c"]);
  assert.deepEqual(setting.outcomes, ["a sent", "b sent", "c sent"]);
  assert.equal(setting.sender.pending, 0);
});

Deno.test("many answers while messages are handed over do not pile up on the stack", async () => {
  using setting = new Setting(50_000);
  const { connection, sender } = setting;
  connection.writable = false;
  for (let index = 0; index < 50_000; index++) setting.send("a", { qos: 0 });
  connection.publish = (each) => each.answer();
  connection.writable = true;
  sender.pump();
  await settled();
  assert.deepEqual(new Set(setting.outcomes), new Set(["a sent"]));
  assert.equal(setting.outcomes.length, 50_000);
});

Deno.test("what cannot be handed over fails alone", async () => {
  using setting = new Setting();
  const { connection } = setting;
  const publish = connection.publish.bind(connection);
  connection.publish = (each) => {
    if (each.message.topic !== "bad") publish(each);
    else each.answer(new SyntaxError("bad topic"));
  };
  setting.send("a", { topic: "bad" });
  setting.send("b");
  setting.connection.published[0].done();
  await settled();
  assert.deepEqual(setting.outcomes, ["a SyntaxError", "b sent"]);
});

Deno.test("without a link messages wait, and go out in order when there is one", async () => {
  using setting = new Setting();
  setting.connection.writable = false;
  for (const body of "abc") setting.send(body);
  assert.deepEqual(setting.connection.bodies, []);
  setting.connection.writable = true;
  setting.sender.pump();
  assert.deepEqual(setting.connection.bodies, ["a", "b", "c"]);
  await settled();
  assert.deepEqual(setting.outcomes, []);
});

Deno.test("a message that waits is rejected at its deadline, and not sent later", async () => {
  using setting = new Setting();
  const { clock, connection, sender } = setting;
  connection.writable = false;
  setting.send("a");
  clock.tick(500);
  setting.send("b");
  clock.tick(499);
  await settled();
  assert.deepEqual(setting.outcomes, []);
  clock.tick(1);
  await settled();
  assert.deepEqual(setting.outcomes, ["a TimeoutError"]);
  connection.writable = true;
  sender.pump();
  assert.deepEqual(connection.bodies, ["b"]);
});

Deno.test("a message that is not acknowledged is forgotten at its deadline", async () => {
  using setting = new Setting();
  const { clock, connection, sender } = setting;
  connection.limits.receiveMaximum = 1;
  setting.send("a");
  clock.tick(500);
  setting.send("b");
  clock.tick(500);
  await settled();
  assert.deepEqual(setting.outcomes, ["a TimeoutError"]);
  assert.equal(connection.published[0].forgotten, true);
  assert.deepEqual([connection.bodies, sender.pending], [["a"], 1]);
  connection.published[0].done(); // Only now does the broker not count it any more.
  assert.deepEqual([connection.bodies, sender.pending], [["a", "b"], 1]);
});

Deno.test("an aborted message makes room for the next once the broker has answered it", async () => {
  using setting = new Setting();
  const { connection, sender } = setting;
  connection.limits.receiveMaximum = 1;
  const abort = new AbortController();
  setting.send("a", {}, abort.signal);
  setting.send("b");
  abort.abort();
  await settled();
  assert.deepEqual([setting.outcomes, sender.pending], [["a AbortError"], 1]);
  connection.published[0].done();
  assert.deepEqual(connection.bodies, ["a", "b"]);
});

Deno.test("a signal that was aborted before sends nothing", async () => {
  using setting = new Setting();
  setting.send("a", {}, AbortSignal.abort());
  await settled();
  assert.deepEqual([setting.outcomes, setting.connection.bodies], [["a AbortError"], []]);
});

Deno.test("the error of a deadline tells it", async () => {
  using setting = new Setting();
  const sent = setting.sender.send(message("a"));
  setting.clock.tick(SEND_TIMEOUT);
  await assert.rejects(
    sent,
    (error) => error instanceof TimeoutError && error.timeoutMs === SEND_TIMEOUT,
  );
});

Deno.test("an aborted send that waits is not handed over", async () => {
  using setting = new Setting();
  const { connection, sender } = setting;
  connection.writable = false;
  const abort = new AbortController();
  const reason = new Error("enough");
  const sent = sender.send(message("a"), abort.signal);
  setting.send("b");
  abort.abort(reason);
  await assert.rejects(sent, (error) => error === reason);
  connection.writable = true;
  sender.pump();
  assert.deepEqual(connection.bodies, ["b"]);
});

Deno.test("an aborted send that was handed over is forgotten", async () => {
  using setting = new Setting();
  const abort = new AbortController();
  const sent = setting.sender.send(message("a"), abort.signal);
  abort.abort();
  await assert.rejects(sent, { name: "AbortError" });
  assert.equal(setting.connection.published[0].forgotten, true);
  assert.equal(setting.sender.pending, 0);
});

Deno.test("a signal that comes after the answer changes nothing", async () => {
  using setting = new Setting();
  const abort = new AbortController();
  setting.send("a", {}, abort.signal);
  setting.connection.published[0].done();
  abort.abort();
  await settled();
  assert.deepEqual(setting.outcomes, ["a sent"]);
  assert.equal(setting.connection.published[0].forgotten, false);
});

Deno.test("more than maxPending are refused, in the line or handed over", async () => {
  using setting = new Setting(3);
  setting.connection.limits.receiveMaximum = 1;
  for (const body of "abc") setting.send(body);
  await assert.rejects(
    setting.sender.send(message("d")),
    (error) => error instanceof QueueFullError && error.maxPending === 3,
  );
  setting.connection.published[0].done();
  setting.send("e");
  assert.equal(setting.sender.pending, 3);
});

Deno.test("what passes the broker's limits is refused by name, and never handed over", async () => {
  using setting = new Setting();
  const { connection, sender } = setting;
  connection.limits.maximumQoS = 1;
  connection.limits.retainAvailable = false;
  const refuses = (given: Partial<OutgoingMessage>, why: RegExp) =>
    assert.rejects(
      sender.send(message("a", given)),
      (error) => error instanceof NotSupportedError && why.test(error.message),
    );
  await refuses({ qos: 2 }, /QoS 1 at most, received QoS 2/);
  await refuses({ retain: true }, /retains no messages/);
  assert.deepEqual([connection.bodies, sender.pending], [[], 0]);
});

for (
  const { what, version, given, size } of [
    { what: "a bare one on 3.1.1", version: 4 as const, given: {}, size: 2 + 3 + 2 + 10 },
    { what: "a bare one on 5", version: 5 as const, given: {}, size: 2 + 3 + 2 + 1 + 10 },
    {
      what: "one with properties",
      version: 5 as const,
      given: {
        contentType: "text",
        correlationData: Uint8Array.of(1, 2),
        messageExpiryInterval: 9,
        userProperties: { a: "b", c: ["d", "e"] },
      },
      size: 2 + 3 + 2 + 1 + (1 + 6) + (1 + 4) + 5 + 3 * (1 + 3 + 3) + 10,
    },
  ]
) {
  Deno.test(`the size of a packet is known to the byte: ${what}`, async () => {
    using setting = new Setting();
    const { connection, sender } = setting;
    const each = message("0123456789", { properties: given });
    connection.limits.protocolVersion = version;
    connection.limits.maximumPacketSize = size - 1;
    await assert.rejects(sender.send(each), NotSupportedError);
    connection.limits.maximumPacketSize = size;
    sender.send(each).catch(() => {});
    assert.equal(connection.published.length, 1);
  });
}

Deno.test("flush() waits for what is pending", async () => {
  using setting = new Setting();
  const { connection, sender } = setting;
  await sender.flush();
  setting.send("a");
  setting.send("b");
  let flushed = false;
  sender.flush().then(() => flushed = true);
  connection.published[0].done();
  await settled();
  assert.equal(flushed, false);
  connection.published[1].done(new Error("refused"));
  await settled();
  assert.equal(flushed, true);
});

Deno.test("flush() does not wait where there is no link, or when it is lost", async () => {
  using setting = new Setting();
  const { connection, sender } = setting;
  setting.send("a");
  const flushed = sender.flush();
  connection.writable = false;
  sender.unlink();
  await flushed;
  await sender.flush();
  assert.equal(sender.pending, 1);
});

Deno.test("flush() ends with the deadline of what is pending", async () => {
  using setting = new Setting();
  setting.send("a");
  const flushed = setting.sender.flush();
  setting.clock.tick(SEND_TIMEOUT);
  await flushed;
});

Deno.test("close() rejects what is pending and forgets what was handed over", async () => {
  using setting = new Setting();
  const { connection, sender } = setting;
  connection.limits.receiveMaximum = 1;
  const first = sender.send(message("a"));
  const second = sender.send(message("b"));
  sender.close();
  await assert.rejects(first, QueueClosedError);
  await assert.rejects(second, QueueClosedError);
  assert.equal(connection.published[0].forgotten, true);
  assert.deepEqual([connection.bodies, sender.pending], [["a"], 0]);
});
