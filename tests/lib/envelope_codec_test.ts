import assert from "node:assert/strict";
import type { Delivery } from "../../lib/connection.ts";
import { decodeEnvelope, encodeEnvelope, type EncodeOptions } from "../../lib/envelope_codec.ts";
import { MessageEnvelope } from "../../lib/message_envelope.ts";
import { delivery } from "./deliveries.ts";
import { pseudoRandom } from "./pseudo_random.ts";

const NOW = Date.parse("2024-02-03T04:05:06.007Z");

function encode(envelope: MessageEnvelope, given: Partial<EncodeOptions> = {}) {
  return encodeEnvelope(envelope, {
    correlationId: null,
    serializeEnvelope: undefined,
    protocolVersion: 5,
    expiry: null,
    now: NOW,
    ...given,
  });
}

/** What arrives when the envelope is sent: on 3.1.1 without any properties. */
function throughTheWire(envelope: MessageEnvelope, given: Partial<EncodeOptions>): MessageEnvelope {
  const { payload, properties } = encode(envelope, given);
  const carried = given.protocolVersion === 4 ? {} : properties;
  const arrived = delivery(payload, { properties: carried });
  return decodeEnvelope(arrived, given.serializeEnvelope, NOW).envelope;
}

function decode(
  payload: string | Uint8Array,
  given: Partial<Delivery> = {},
  serialize?: boolean,
): MessageEnvelope {
  return decodeEnvelope(delivery(payload, given), serialize, NOW).envelope;
}

function order(): MessageEnvelope {
  const envelope = new MessageEnvelope("123", "order", { id: 7 });
  envelope.userProperties = { color: "blå", empty: "" };
  return envelope;
}

for (const protocolVersion of [4, 5] as const) {
  for (const serializeEnvelope of [true, undefined]) {
    const form = `serializeEnvelope ${serializeEnvelope} on version ${protocolVersion}`;

    Deno.test(`nothing is lost with ${form}`, () => {
      const sent = order();
      const arrived = throughTheWire(sent, { protocolVersion, serializeEnvelope });
      assert.equal(arrived.messageId, sent.messageId);
      assert.equal(arrived.correlationId, "123");
      assert.equal(arrived.messageType, "order");
      assert.deepEqual(arrived.getMessageAs(), { id: 7 });
      assert.equal(arrived.contentType, "application/json");
      assert.deepEqual(arrived.userProperties, { color: "blå", empty: "" });
      assert.equal(arrived.sentTime.getTime(), NOW);
    });

    Deno.test(`every byte survives with ${form}`, () => {
      const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
      const sent = new MessageEnvelope(null, null, bytes);
      const arrived = throughTheWire(sent, { protocolVersion, serializeEnvelope });
      assert.deepEqual(arrived.message, bytes);
      assert.equal(arrived.correlationId, null);
      assert.equal(arrived.messageType, null);
    });

    Deno.test(`a body that looks like an envelope survives with ${form}`, () => {
      const inner = JSON.stringify(order());
      const sent = new MessageEnvelope("1", "outer", inner);
      const arrived = throughTheWire(sent, { protocolVersion, serializeEnvelope });
      assert.equal(arrived.getMessageAsString(), inner);
      assert.equal(arrived.messageType, "outer");
    });

    Deno.test(`an empty body survives with ${form}`, () => {
      const sent = new MessageEnvelope("1", "empty", "");
      const arrived = throughTheWire(sent, { protocolVersion, serializeEnvelope });
      assert.deepEqual(arrived.message, new Uint8Array());
    });
  }
}

Deno.test("JSON keeps no body apart from an empty one", () => {
  const sent = new MessageEnvelope("1", "none");
  assert.equal(throughTheWire(sent, { serializeEnvelope: true }).message, null);
});

Deno.test("unset keeps no body apart from an empty one, on either version", () => {
  for (const protocolVersion of [4, 5] as const) {
    for (const body of [null, ""]) {
      const read = throughTheWire(new MessageEnvelope(null, "order", body), { protocolVersion });
      assert.equal(read.getMessageAsString(), body);
    }
  }
});

Deno.test("a date that is none is not sent and does no harm", () => {
  const envelope = new MessageEnvelope(null, "order", "body");
  envelope.sentTime = new Date(NaN);
  assert.equal(envelope.toJSON().sent_time, null);
  assert.ok(MessageEnvelope.fromJSON(envelope.toJSON()).sentTime.getTime() > 0);
});

Deno.test("the bare form of no body is an empty payload", () => {
  const { payload } = encode(new MessageEnvelope("1", "none"), { serializeEnvelope: false });
  assert.deepEqual(payload, new Uint8Array());
});

Deno.test("serializeEnvelope true writes the Pip.Services form", () => {
  const { payload, properties } = encode(order(), { serializeEnvelope: true });
  const json = JSON.parse(new TextDecoder().decode(payload));
  assert.equal(json.correlation_id, "123");
  assert.equal(json.trace_id, "123");
  assert.equal(json.message_type, "order");
  assert.equal(json.sent_time, "2024-02-03T04:05:06.007Z");
  assert.equal(atob(json.message), '{"id":7}');
  assert.deepEqual(properties, { contentType: "application/json" });
});

Deno.test("serializeEnvelope true writes no properties on 3.1.1", () => {
  const { properties } = encode(order(), { serializeEnvelope: true, protocolVersion: 4 });
  assert.deepEqual(properties, {});
});

Deno.test("the bare form on MQTT 5 puts the metadata beside the body", () => {
  const envelope = order();
  const { payload, properties } = encode(envelope, { serializeEnvelope: false });
  assert.deepEqual(payload, envelope.message);
  assert.equal(properties.contentType, "application/json");
  assert.equal(new TextDecoder().decode(properties.correlationData), "123");
  assert.deepEqual(properties.userProperties, {
    color: "blå",
    empty: "",
    message_id: envelope.messageId,
    message_type: "order",
    sent_time: "2024-02-03T04:05:06.007Z",
  });
});

Deno.test("the bare form on 3.1.1 is the body alone", () => {
  const envelope = order();
  const { payload, properties } = encode(envelope, {
    serializeEnvelope: false,
    protocolVersion: 4,
  });
  assert.deepEqual(payload, envelope.message);
  assert.deepEqual(properties, {});
});

Deno.test("unset means properties on MQTT 5 and JSON on 3.1.1", () => {
  assert.equal(new TextDecoder().decode(encode(order()).payload), '{"id":7}');
  const { payload } = encode(order(), { protocolVersion: 4 });
  assert.equal(MessageEnvelope.fromJSON(new TextDecoder().decode(payload)).messageType, "order");
});

for (const serializeEnvelope of [true, false]) {
  Deno.test(`the caller's correlation id stands in with serializeEnvelope ${serializeEnvelope}`, () => {
    const given = { correlationId: "456", serializeEnvelope };
    assert.equal(throughTheWire(new MessageEnvelope(), given).correlationId, "456");
    assert.equal(throughTheWire(new MessageEnvelope("123"), given).correlationId, "123");
  });

  Deno.test(`encoding leaves the envelope alone with serializeEnvelope ${serializeEnvelope}`, () => {
    const envelope = order();
    envelope.correlationId = null;
    const before = JSON.stringify(envelope);
    encode(envelope, { correlationId: "456", serializeEnvelope, expiry: 60 });
    assert.equal(JSON.stringify(envelope), before);
  });
}

Deno.test("expiry travels as a property, on MQTT 5 only", () => {
  assert.equal(encode(order(), { expiry: 60 }).properties.messageExpiryInterval, 60);
  const given = { expiry: 60, serializeEnvelope: true };
  assert.equal(encode(order(), given).properties.messageExpiryInterval, 60);
  assert.deepEqual(encode(order(), { ...given, protocolVersion: 4 }).properties, {});
});

Deno.test("what arrived with the message is told", () => {
  const envelope = decode("x", {
    topic: "a/b",
    qos: 2,
    retain: true,
    dup: true,
    properties: { messageExpiryInterval: 30 },
  });
  const { topic, qos, retained, duplicate, expiry } = envelope;
  assert.deepEqual({ topic, qos, retained, duplicate, expiry }, {
    topic: "a/b",
    qos: 2,
    retained: true,
    duplicate: true,
    expiry: 30,
  });
  assert.equal(decode("x").expiry, null);
});

for (const key of ["correlation_id", "trace_id"]) {
  Deno.test(`an envelope of Pip.Services is read with ${key}`, () => {
    const envelope = decode(JSON.stringify({
      message_id: "m1",
      [key]: "123",
      message_type: "order",
      sent_time: "2020-01-02T03:04:05.000Z",
      message: btoa("ABC"),
    }));
    assert.equal(envelope.messageId, "m1");
    assert.equal(envelope.correlationId, "123");
    assert.equal(envelope.getMessageAsString(), "ABC");
    assert.equal(envelope.sentTime.toISOString(), "2020-01-02T03:04:05.000Z");
  });
}

Deno.test("serializeEnvelope false reads an envelope as what it is: bytes", () => {
  const text = JSON.stringify(order());
  const envelope = decode(text, {}, false);
  assert.equal(envelope.getMessageAsString(), text);
  assert.equal(envelope.messageType, "orders/new");
});

Deno.test("only who names a message has an id of its own", () => {
  const hasOwnId = (payload: string, userProperties = {}) =>
    decodeEnvelope(delivery(payload, { properties: { userProperties } }), undefined, NOW).hasOwnId;
  assert.equal(hasOwnId("x"), false);
  assert.equal(hasOwnId("x", { message_id: "m1" }), true);
  assert.equal(hasOwnId(JSON.stringify(order())), true);
});

const FOREIGN: [string, string | Uint8Array][] = [
  ["nothing", ""],
  ["text", "hello"],
  ["half of JSON", '{"message_id":'],
  ["JSON that is no envelope", '{"temperature":21}'],
  ["an envelope without a message", '{"message_id":"1","message_type":"t"}'],
  ["an envelope with a number for an id", '{"message_id":1,"message_type":"t","message":null}'],
  ["a body that is no base64", '{"message_id":"1","message_type":"t","message":"%"}'],
  ["a time that is an object", '{"message_id":"1","message_type":"","message":"","sent_time":{}}'],
  ["a prototype", '{"__proto__":{"message_id":"1","message_type":"t","message":""}}'],
  ["a JSON list", "[1,2]"],
  ["a JSON null", "null"],
  ["an opening brace", "{"],
  ["bytes that are no UTF-8", Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d)],
  ["half a character", Uint8Array.of(0xf0, 0x9f, 0x98)],
  ["NUL", Uint8Array.of(0)],
  ["JSON nested deeply", '{"a":'.repeat(50_000) + "1" + "}".repeat(50_000)],
  ["two million braces", "{".repeat(2_000_000)],
];
for (const [what, payload] of FOREIGN) {
  for (const serialize of [undefined, true, false]) {
    Deno.test(`${what} arrives as raw bytes with serializeEnvelope ${serialize}`, () => {
      const arrived = delivery(payload);
      const { envelope, hasOwnId } = decodeEnvelope(arrived, serialize, NOW);
      assert.equal(envelope.message, arrived.payload);
      assert.equal(envelope.messageType, "orders/new");
      assert.equal(envelope.correlationId, null);
      assert.equal(envelope.sentTime.getTime(), NOW);
      assert.ok(envelope.messageId.length > 0);
      assert.equal(hasOwnId, false);
    });
  }
}

Deno.test("a foreign sender's properties are read", () => {
  const envelope = decode("21", {
    properties: {
      contentType: "text/plain",
      correlationData: new TextEncoder().encode("123"),
      userProperties: { unit: "C" },
    },
  });
  assert.equal(envelope.contentType, "text/plain");
  assert.equal(envelope.correlationId, "123");
  assert.deepEqual(envelope.userProperties, { unit: "C" });
  assert.equal(envelope.messageType, "orders/new");
});

Deno.test("of a property that is there twice the last one counts", () => {
  const userProperties = { message_id: ["a", "b"], message_type: ["c", "d"], color: ["e", "f"] };
  const envelope = decode("x", { properties: { userProperties } });
  assert.equal(envelope.messageId, "b");
  assert.equal(envelope.messageType, "d");
  assert.deepEqual(envelope.userProperties, { color: "f" });
});

Deno.test("properties without a value do not harm", () => {
  const userProperties = { message_id: [], message_type: [], sent_time: [], color: [] };
  const envelope = decode("x", { properties: { userProperties } });
  assert.equal(envelope.messageType, "");
  assert.deepEqual(envelope.userProperties, { color: "" });
});

Deno.test("a time that cannot be read is that of the arrival", () => {
  for (const sent_time of ["", "soon", "99999999999999999999"]) {
    const envelope = decode("x", { properties: { userProperties: { sent_time } } });
    assert.equal(envelope.sentTime.getTime(), NOW);
  }
});

Deno.test("correlation data that is no UTF-8 does not throw", () => {
  const envelope = decode("x", { properties: { correlationData: Uint8Array.of(0xff) } });
  assert.equal(envelope.correlationId, "\ufffd");
});

Deno.test("a property named __proto__ does not reach the prototype", () => {
  const userProperties = JSON.parse('{"__proto__":"x","color":"red"}');
  const envelope = decode("x", { properties: { userProperties } });
  assert.equal(envelope.userProperties.color, "red");
  assert.equal(typeof Object.getPrototypeOf(envelope.userProperties), "object");
  assert.equal(({} as { color?: string }).color, undefined);
});

Deno.test("properties beside JSON are added, and do not overwrite what is in it", () => {
  const { payload } = encode(order(), { serializeEnvelope: true });
  const userProperties = { color: "green", traceparent: "00-1-2-00" };
  const envelope = decode(payload, { properties: { userProperties } });
  assert.deepEqual(envelope.userProperties, {
    color: "blå",
    empty: "",
    traceparent: "00-1-2-00",
  });
});

for (const seed of [1, 2, 3]) {
  Deno.test(`decoding never throws, whatever is changed in an envelope (seed ${seed})`, () => {
    const random = pseudoRandom(seed);
    const { payload } = encode(order(), { serializeEnvelope: true });
    for (let round = 0; round < 2_000; round++) {
      const broken = payload.slice(0, 1 + random(payload.length));
      for (let change = 0; change < 3; change++) broken[random(broken.length)] = random(256);
      const envelope = decode(broken);
      assert.equal(typeof envelope.messageId, "string");
      assert.equal(typeof envelope.toString(), "string");
      assert.ok(!Number.isNaN(envelope.sentTime.getTime()));
    }
  });
}

Deno.test("a foreign message keeps a property that happens to be named as our mark", () => {
  const arrived = delivery("x", {
    properties: { userProperties: { resent: "mine", color: "red" } },
  });
  const { envelope } = decodeEnvelope(arrived, undefined, 0);
  assert.deepEqual(envelope.userProperties, { resent: "mine", color: "red" });
});
