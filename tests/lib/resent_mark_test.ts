import assert from "node:assert/strict";
import { decodeEnvelope, encodeEnvelope } from "../../lib/envelope_codec.ts";
import { MessageEnvelope } from "../../lib/message_envelope.ts";
import { isResent, type Markable, markResent, nameOf } from "../../lib/resent_mark.ts";
import { delivery } from "./deliveries.ts";

function encode(envelope: MessageEnvelope, protocolVersion: 4 | 5, now = 1_000): Markable {
  return encodeEnvelope(envelope, {
    correlationId: null,
    serializeEnvelope: undefined,
    protocolVersion,
    expiry: null,
    now,
  });
}

function arrived({ payload, properties }: Markable) {
  return delivery(payload, { properties });
}

function order(): MessageEnvelope {
  const envelope = new MessageEnvelope(`tricky ","sent_time":"never`, "order", "body ✓");
  envelope.messageId = `quoted "id" \\ here`;
  envelope.userProperties = { color: "blå" };
  return envelope;
}

for (const version of [4, 5] as const) {
  Deno.test(`a marked message is known as the one that was sent before, on version ${version}`, () => {
    const first = encode(order(), version);
    const again = markResent(first, version)!;
    assert.equal(isResent(arrived(first), true), false);
    assert.equal(isResent(arrived(again), true), true);
    assert.ok(nameOf(arrived(first), true));
    assert.equal(nameOf(arrived(again), true), nameOf(arrived(first), true));
    const third = markResent(again, version)!;
    assert.deepEqual([...third.payload], [...again.payload]);
  });

  Deno.test(`another sending of the same message has another name, on version ${version}`, () => {
    const [first, second] = [encode(order(), version, 1_000), encode(order(), version, 1_001)];
    assert.notEqual(nameOf(arrived(first), true), nameOf(arrived(second), true));
  });

  Deno.test(`a mark changes nothing of what is read, on version ${version}`, () => {
    const first = encode(order(), version);
    const read = (each: Markable) => decodeEnvelope(arrived(each), undefined, 0).envelope;
    assert.deepEqual(read(markResent(first, version)!).toJSON(), read(first).toJSON());
  });
}

Deno.test("a body that is no envelope has no name and takes no mark on 3.1.1", () => {
  for (const body of ["", "text", "{", `{"a":1}`, `{"message_id":null}`]) {
    const payload = new TextEncoder().encode(body);
    assert.equal(markResent({ payload, properties: {} }, 4), null);
    assert.equal(nameOf(delivery(payload), true), null);
    assert.equal(isResent(delivery(payload), true), false);
  }
});

Deno.test("a queue that reads bodies alone finds neither name nor mark in them", () => {
  const again = arrived(markResent(encode(order(), 4), 4)!);
  assert.equal(isResent(again, false), false);
  assert.equal(nameOf(again, false), null);
});

Deno.test("who names a message gives it a name, with the time or without", () => {
  const named = (userProperties: Record<string, string>) =>
    nameOf(delivery("", { properties: { userProperties } }), true);
  assert.ok(named({ message_id: "m1" }));
  assert.notEqual(named({ message_id: "m1" }), named({ message_id: "m1", sent_time: "today" }));
  assert.ok(nameOf(delivery(`{"message_id":"m1","message":"AA=="}`), true));
});

Deno.test("an envelope that does not say its time soon takes no mark on 3.1.1", () => {
  const payload = new TextEncoder().encode(`{"message_id":"m1","message":"AA=="}`);
  assert.equal(markResent({ payload, properties: {} }, 4), null);
});
