import assert from "node:assert/strict";
import { deadLetterFolder, DeadLetters } from "../../lib/dead_letters.ts";
import { NotSupportedError } from "../../lib/errors.ts";
import { MessageEnvelope } from "../../lib/message_envelope.ts";
import { delivery } from "./deliveries.ts";
import { FakeConnection } from "./fake_connection.ts";
import { MockClock } from "./mock_clock.ts";

const FOLDER = "dead-letter/orders/";

/** Dead letters on a broker that retains at once; what is redriven goes to `resent`. */
class Setting {
  readonly connection = new FakeConnection();
  readonly resent: { envelope: MessageEnvelope; topic: string }[] = [];
  readonly letters = new DeadLetters(
    () => this.connection,
    () => FOLDER,
    (topic, payload) => {
      if (payload.byteLength === 0) this.connection.retained.delete(topic);
      else this.connection.retained.set(topic, delivery(payload, { topic, retain: true }));
      return Promise.resolve();
    },
    (envelope, { topic = "" }) => {
      this.resent.push({ envelope, topic });
      return Promise.resolve();
    },
  );

  async add(id: string, body = id): Promise<void> {
    const envelope = new MessageEnvelope("123", "order", body);
    envelope.messageId = id;
    envelope.topic = "orders/new";
    envelope.deliveryCount = 3;
    await this.letters.add(envelope, "rejected", "not today");
  }

  get topics(): string[] {
    return [...this.connection.retained.keys()];
  }
}

Deno.test("a dead letter is named by text or not at all", async () => {
  const setting = new Setting();
  await setting.add("m1");
  for (const id of [null, 7] as unknown as string[]) {
    await assert.rejects(setting.letters.purge(id), /Cannot purge a dead letter: its id must be/);
    await assert.rejects(setting.letters.redrive(id), /Cannot redrive a dead letter: its id must/);
  }
  assert.equal(await setting.letters.count(), 1);
});

Deno.test("a dead letter keeps the quality of service it came with", async () => {
  const setting = new Setting();
  const envelope = new MessageEnvelope(null, "order", "body");
  envelope.topic = "orders";
  envelope.qos = 2;
  await setting.letters.add(envelope, "rejected", "");
  assert.equal((await setting.letters.peekBatch(1))[0].envelope.qos, 2);
});

Deno.test("a redrive that is aborted leaves what is behind", async () => {
  const setting = new Setting();
  for (const id of ["m1", "m2", "m3"]) await setting.add(id);
  const abort = new AbortController();
  setting.resent.push = (...items) => {
    abort.abort(new Error("enough"));
    return Array.prototype.push.apply(setting.resent, items);
  };
  await assert.rejects(setting.letters.redrive(undefined, { signal: abort.signal }), /enough/);
  assert.equal(setting.resent.length, 1);
  assert.equal(await setting.letters.count(), 2);
});

Deno.test("a dead letter tells all about its message", async () => {
  using _clock = new MockClock(Date.parse("2024-02-03T04:05:06.007Z"));
  const setting = new Setting();
  await setting.add("m1", "body");
  assert.deepEqual(setting.topics, ["dead-letter/orders/m1"]);
  const [{ envelope, ...letter }] = await setting.letters.peekBatch(10);
  assert.deepEqual(letter, {
    id: "m1",
    reason: "rejected",
    description: "not today",
    topic: "orders/new",
    deliveryCount: 3,
    time: new Date("2024-02-03T04:05:06.007Z"),
  });
  assert.equal(envelope.messageId, "m1");
  assert.equal(envelope.correlationId, "123");
  assert.equal(envelope.messageType, "order");
  assert.equal(envelope.getMessageAsString(), "body");
  assert.equal(envelope.topic, "orders/new");
});

Deno.test("a broker that retains nothing is refused by name", async () => {
  const setting = new Setting();
  setting.connection.limits.retainAvailable = false;
  await assert.rejects(setting.add("m1"), NotSupportedError);
  assert.deepEqual(setting.topics, []);
});

Deno.test("an id with slashes, wildcards or blanks is one level of the topic", async () => {
  const setting = new Setting();
  const id = "a/b+c#d e%2F";
  await setting.add(id);
  const level = setting.topics[0].slice(FOLDER.length);
  assert.ok(!/[/+# ]/.test(level), level);
  assert.equal((await setting.letters.peekBatch(1))[0].id, id);
  assert.equal(await setting.letters.purge(id), 1);
  assert.deepEqual(setting.topics, []);
});

Deno.test("peekBatch() gives the oldest first, max at most, and takes nothing", async () => {
  using clock = new MockClock();
  const setting = new Setting();
  for (const id of ["z", "y", "x"]) {
    await setting.add(id);
    clock.tick(1);
  }
  const oldest = setting.connection.retained.get(`${FOLDER}z`)!;
  setting.connection.retained.delete(`${FOLDER}z`);
  setting.connection.retained.set(`${FOLDER}z`, oldest); // The broker tells it last.
  const ids = async (max: number) => (await setting.letters.peekBatch(max)).map(({ id }) => id);
  assert.deepEqual(await ids(2), ["z", "y"]);
  assert.deepEqual(await ids(9), ["z", "y", "x"]);
  assert.equal(await setting.letters.count(), 3);
});

Deno.test("without dead letters there is nothing to show or to do", async () => {
  const { letters } = new Setting();
  assert.deepEqual(await letters.peekBatch(5), []);
  assert.deepEqual([await letters.count(), await letters.redrive(), await letters.purge()], [
    0,
    0,
    0,
  ]);
});

Deno.test("redrive() sends each to where it came from, and removes it", async () => {
  const setting = new Setting();
  await setting.add("m1");
  await setting.add("m2");
  assert.equal(await setting.letters.redrive(), 2);
  const sent = setting.resent.map(({ envelope, topic }) => `${envelope.messageId} ${topic}`);
  assert.deepEqual(sent.sort(), ["m1 orders/new", "m2 orders/new"]);
  assert.deepEqual(setting.topics, []);
});

Deno.test("a message that is given up again before its old copy is removed keeps the new one", async () => {
  const setting = new Setting();
  await setting.add("m1");
  setting.resent.push = ({ envelope }) => {
    const arrived = MessageEnvelope.fromJSON(JSON.stringify(envelope)); // As its receiver has it.
    arrived.topic = "orders/new";
    setting.letters.add(arrived, "rejected", "again");
    return 1;
  };
  assert.equal(await setting.letters.redrive(), 1);
  assert.deepEqual(setting.topics, [`${FOLDER}m1;1`]);
  const [{ id, envelope }] = await setting.letters.peekBatch(1);
  assert.deepEqual([id, envelope.userProperties.redrives], ["m1", "1"]);
  assert.equal(await setting.letters.redrive("m1"), 1);
  assert.deepEqual(setting.topics, [`${FOLDER}m1;2`]);
  assert.equal(await setting.letters.purge("m1"), 1);
  assert.deepEqual(setting.topics, []);
});

Deno.test("what a sender writes where redrives are counted does no harm", async () => {
  const setting = new Setting();
  for (const [index, redrives] of ["", "-1", "x/+", "1e9", "9999999999"].entries()) {
    const envelope = new MessageEnvelope(null, "order", "body");
    envelope.messageId = `m${index}`;
    envelope.userProperties = { redrives };
    envelope.topic = "orders";
    await setting.letters.add(envelope, "rejected", "");
  }
  assert.deepEqual(setting.topics, [0, 1, 2, 3, 4].map((index) => `${FOLDER}m${index}`));
});

Deno.test("redrive() with an id leaves the others", async () => {
  const setting = new Setting();
  await setting.add("m1");
  await setting.add("m2");
  assert.equal(await setting.letters.redrive("m2"), 1);
  assert.equal(await setting.letters.redrive("unknown"), 0);
  assert.deepEqual(setting.topics, [`${FOLDER}m1`]);
});

Deno.test("a dead letter that cannot be sent stays", async () => {
  const setting = new Setting();
  await setting.add("m1");
  const letters = new DeadLetters(
    () => setting.connection,
    () => FOLDER,
    () => assert.fail("removed"),
    () => Promise.reject(new Error("refused")),
  );
  await assert.rejects(letters.redrive(), /refused/);
  assert.deepEqual(setting.topics, [`${FOLDER}m1`]);
});

Deno.test("purge() removes one or all and tells how many", async () => {
  const setting = new Setting();
  for (const id of ["m1", "m2", "m3"]) await setting.add(id);
  assert.equal(await setting.letters.purge("m2"), 1);
  assert.equal(await setting.letters.purge("m2"), 0);
  assert.deepEqual(setting.topics, [`${FOLDER}m1`, `${FOLDER}m3`]);
  assert.equal(await setting.letters.purge(), 2);
  assert.deepEqual([setting.topics, setting.resent], [[], []]);
});

for (
  const [what, payload] of [
    ["bytes", Uint8Array.of(0, 255)],
    ["text", "hello"],
    ["half of JSON", "{"],
    ["JSON null", "null"],
    ["an envelope that was not given up", JSON.stringify(new MessageEnvelope("1", "t", "b"))],
    ["an envelope with null for a reason", '{"dead_letter":null}'],
  ] as [string, string | Uint8Array][]
) {
  Deno.test(`${what} among the dead letters is shown as it is`, async () => {
    const setting = new Setting();
    const topic = `${FOLDER}foreign`;
    const foreign = delivery(payload, { topic, retain: true });
    setting.connection.retained.set(topic, foreign);
    await setting.add("m1");
    const [unreadable, readable] = await setting.letters.peekBatch(10);
    assert.equal(unreadable.id, "foreign");
    assert.equal(unreadable.reason, "unreadable");
    assert.deepEqual(unreadable.envelope.message, foreign.payload);
    assert.equal(readable.id, "m1");
  });
}

Deno.test("a level that is no encoded id does not throw", async () => {
  const setting = new Setting();
  const topic = `${FOLDER}100%`;
  setting.connection.retained.set(topic, delivery("x", { topic, retain: true }));
  assert.equal((await setting.letters.peekBatch(1))[0].id, "100%");
});

Deno.test("fields of the wrong type become what can be shown", async () => {
  const setting = new Setting();
  const topic = `${FOLDER}odd`;
  const dead_letter = { reason: 7, topic: "t", delivery_count: "many", time: "soon" };
  const json = { ...new MessageEnvelope().toJSON(), dead_letter };
  setting.connection.retained.set(topic, delivery(JSON.stringify(json), { topic, retain: true }));
  const [letter] = await setting.letters.peekBatch(1);
  assert.equal(letter.reason, "7");
  assert.equal(letter.deliveryCount, 0);
  assert.equal(letter.time.getTime(), 0);
});

Deno.test("the folder has the queue's name as levels, wildcards made harmless", () => {
  assert.equal(deadLetterFolder("dead-letter", "a/b"), "dead-letter/a/b/");
  assert.equal(deadLetterFolder("dead", "a/+/#"), "dead/a/%2B/%23/");
});

Deno.test("no two names share a folder", () => {
  const names = ["a+b", "a%2Bb", "a%252Bb", "a#b", "a%23b", "a%b", "a%25b"];
  assert.equal(new Set(names.map((name) => deadLetterFolder("dead", name))).size, names.length);
});

Deno.test("folder is where this queue's dead letters are", () => {
  const { letters } = new Setting();
  assert.equal(letters.folder, "dead-letter/orders/");
});
