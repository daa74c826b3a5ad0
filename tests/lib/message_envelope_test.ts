import assert from "node:assert/strict";
import { MessageEnvelope, receiptOf, setReceipt } from "../../lib/message_envelope.ts";

Deno.test("an envelope has an id of its own and the time at which it was made", () => {
  const before = Date.now();
  const [one, two] = [new MessageEnvelope(), new MessageEnvelope()];
  assert.notEqual(one.messageId, two.messageId);
  assert.ok(one.messageId.length > 0);
  assert.ok(one.sentTime.getTime() >= before && one.sentTime.getTime() <= Date.now());
});

Deno.test("what is not given is null", () => {
  const envelope = new MessageEnvelope();
  assert.equal(envelope.correlationId, null);
  assert.equal(envelope.messageType, null);
  assert.equal(envelope.message, null);
  assert.equal(envelope.getMessageAsString(), null);
  assert.equal(envelope.getMessageAs(), null);
  assert.equal(envelope.getReference(), null);
});

Deno.test("a string becomes a body in UTF-8", () => {
  const envelope = new MessageEnvelope("123", "text", "blå\u{1F600}");
  assert.deepEqual([...envelope.message!], [98, 108, 0xc3, 0xa5, 0xf0, 0x9f, 0x98, 0x80]);
  assert.equal(envelope.getMessageAsString(), "blå\u{1F600}");
  assert.equal(envelope.contentType, null);
});

Deno.test("an empty string is a body, and not the same as none", () => {
  assert.deepEqual(new MessageEnvelope(null, null, "").message, new Uint8Array());
});

Deno.test("bytes are kept as they are", () => {
  const bytes = Uint8Array.of(0, 255, 123, 0);
  assert.equal(new MessageEnvelope("123", "bytes", bytes).message, bytes);
});

for (const value of [{ id: 7 }, [1, "two"], 42, true, false, 0]) {
  Deno.test(`${JSON.stringify(value)} becomes a body in JSON`, () => {
    const envelope = new MessageEnvelope("123", "json", value);
    assert.equal(envelope.getMessageAsString(), JSON.stringify(value));
    assert.deepEqual(envelope.getMessageAs(), value);
    assert.equal(envelope.contentType, "application/json");
  });
}

Deno.test("a body without a JSON form is refused", () => {
  assert.throws(() => new MessageEnvelope(null, null, () => {}), TypeError);
  assert.throws(() => new MessageEnvelope(null, null, Symbol("no")), TypeError);
  assert.throws(() => new MessageEnvelope(null, null, 1n), TypeError);
});

Deno.test("a byte order mark at the start of a text stays", () => {
  assert.equal(new MessageEnvelope(null, null, "\ufeffx").getMessageAsString(), "\ufeffx");
});

Deno.test("bytes that are no UTF-8 show as the replacement character", () => {
  const envelope = new MessageEnvelope(null, null, Uint8Array.of(0x61, 0xff));
  assert.equal(envelope.getMessageAsString(), "a\ufffd");
});

Deno.test("getMessageAs() throws where the body is no JSON", () => {
  assert.throws(() => new MessageEnvelope(null, null, "{").getMessageAs(), SyntaxError);
});

Deno.test("null takes the body away", () => {
  const envelope = new MessageEnvelope(null, null, "body");
  envelope.setMessageAsString(null);
  assert.equal(envelope.message, null);
  envelope.setMessageAsString("body");
  envelope.setMessageAsObject(null);
  assert.equal(envelope.message, null);
});

Deno.test("toString() shows who, what and the first 50 characters", () => {
  assert.equal(`${new MessageEnvelope("123", "order", "ABC")}`, "[123,order,ABC]");
  assert.equal(`${new MessageEnvelope()}`, "[---,---,---]");
  const long = new MessageEnvelope("1", "t", "x".repeat(51));
  assert.equal(long.toString(), `[1,t,${"x".repeat(50)}]`);
});

Deno.test("toJSON() writes the Pip.Services form", () => {
  const envelope = new MessageEnvelope("123", "order", Uint8Array.of(0, 255));
  envelope.messageId = "m1";
  envelope.sentTime = new Date("2024-02-03T04:05:06.007Z");
  assert.deepEqual(envelope.toJSON(), {
    message_id: "m1",
    correlation_id: "123",
    trace_id: "123",
    message_type: "order",
    sent_time: "2024-02-03T04:05:06.007Z",
    message: "AP8=",
  });
});

Deno.test("toJSON() writes the content type and user properties where there are any", () => {
  const envelope = new MessageEnvelope("123", "order", { id: 7 });
  envelope.userProperties.color = "red";
  const json = envelope.toJSON();
  assert.equal(json.content_type, "application/json");
  assert.deepEqual(json.user_properties, { color: "red" });
});

Deno.test("fromJSON() reads what JSON.stringify() wrote, as text or object", () => {
  const envelope = new MessageEnvelope("123", "order", { id: 7 });
  envelope.userProperties.color = "red";
  const text = JSON.stringify(envelope);
  for (const source of [text, JSON.parse(text)]) {
    const read = MessageEnvelope.fromJSON(source);
    assert.equal(JSON.stringify(read), text);
    assert.deepEqual(read.getMessageAs(), { id: 7 });
  }
});

const MINIMAL = { message_id: "m1", message_type: null, message: null };

Deno.test("fromJSON() reads either id key", () => {
  const read = (ids: object) => MessageEnvelope.fromJSON({ ...MINIMAL, ...ids }).correlationId;
  assert.equal(read({ correlation_id: "old" }), "old");
  assert.equal(read({ trace_id: "new" }), "new");
  assert.equal(read({ correlation_id: null, trace_id: "new" }), "new");
  assert.equal(read({ correlation_id: "old", trace_id: "new" }), "old");
  assert.equal(read({}), null);
});

Deno.test("fromJSON() gives an id and a time where there is none", () => {
  const before = Date.now();
  for (const sent_time of [undefined, null, "yesterday"]) {
    const read = MessageEnvelope.fromJSON({ ...MINIMAL, message_id: null, sent_time });
    assert.ok(read.messageId.length > 0);
    assert.ok(read.sentTime.getTime() >= before);
  }
});

Deno.test("fromJSON() takes only texts among the user properties", () => {
  const read = (user_properties: unknown) =>
    MessageEnvelope.fromJSON({ ...MINIMAL, user_properties }).userProperties;
  assert.deepEqual(read({ a: "1", b: 2, c: null, d: { e: "f" } }), { a: "1" });
  for (const none of [null, 7, "text", ["a"]]) assert.deepEqual(read(none), {});
});

Deno.test("fromJSON() does not let a property reach the prototype", () => {
  const read = MessageEnvelope.fromJSON(
    '{"message_id":"m1","message_type":null,"message":null,' +
      '"__proto__":{"polluted":"yes"},"user_properties":{"__proto__":"x"}}',
  );
  assert.equal(Object.getPrototypeOf(read), MessageEnvelope.prototype);
  assert.equal(Object.getPrototypeOf(read.userProperties), Object.prototype);
  assert.equal(({} as { polluted?: string }).polluted, undefined);
});

Deno.test("fromJSON() refuses text that is no JSON, and a body that is no base64", () => {
  assert.throws(() => MessageEnvelope.fromJSON("{"), SyntaxError);
  assert.throws(() => MessageEnvelope.fromJSON({ ...MINIMAL, message: "%%" }), SyntaxError);
});

for (
  const [what, value] of [
    ["a number", 7],
    ["null", null],
    ["a list", [MINIMAL]],
    ["an empty object", {}],
    ["no message", { message_id: "m1", message_type: null }],
    ["an id that is a number", { ...MINIMAL, message_id: 7 }],
    ["a type that is an object", { ...MINIMAL, message_type: {} }],
    ["a body that is an object", { ...MINIMAL, message: { id: 7 } }],
    ["a correlation id that is a number", { ...MINIMAL, correlation_id: 7 }],
    ["a trace id that is a number", { ...MINIMAL, trace_id: 7 }],
    ["a time that is a number", { ...MINIMAL, sent_time: 7 }],
  ] as [string, unknown][]
) {
  Deno.test(`fromJSON() refuses ${what}`, () => {
    assert.throws(() => MessageEnvelope.fromJSON(value), /Cannot read an envelope/);
    assert.throws(() => MessageEnvelope.fromJSON(JSON.stringify(value)), TypeError);
  });
}

Deno.test("the lock can be set and taken away", () => {
  const envelope = new MessageEnvelope();
  const lock = {};
  envelope.setReference(lock);
  assert.equal(envelope.getReference(), lock);
  envelope.setReference(null);
  assert.equal(envelope.getReference(), null);
});

Deno.test("neither lock nor receipt show in JSON or among the keys", () => {
  const envelope = new MessageEnvelope();
  const before = JSON.stringify(envelope);
  const keys = Object.keys(envelope);
  const receipt = {};
  envelope.setReference({ lock: true });
  setReceipt(envelope, receipt);
  assert.equal(receiptOf(envelope), receipt);
  assert.equal(JSON.stringify(envelope), before);
  assert.deepEqual(Object.keys(envelope), keys);
});

Deno.test("a message that has an id and a time already keeps them", () => {
  const sentTime = new Date(1_000);
  const both = new MessageEnvelope(null, "order", null, { messageId: "m1", sentTime });
  assert.deepEqual([both.messageId, both.sentTime], ["m1", sentTime]);
  const one = new MessageEnvelope(null, "order", null, { messageId: "m1" });
  assert.ok(one.sentTime.getTime() > 1_000);
});
