import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { decodeEnvelope, encodeEnvelope } from "../../lib/envelope_codec.ts";
import { MessageEnvelope } from "../../mod.ts";
import { mqttPacket } from "../deps.ts";
import { fc } from "./deps.ts";
import { check } from "./check.ts";
import { anyDelivery, anyText } from "./hostile_messages.ts";

const NOW = Date.UTC(2026, 0, 1);

/** Text that a property can carry: no control characters, no half of a pair. */
const plainText = fc.string({ unit: "grapheme" }).filter((text) =>
  text.isWellFormed() && !/[\p{Cc}\p{Noncharacter_Code_Point}]/u.test(text)
);

function anyEnvelope(text: fc.Arbitrary<string>): fc.Arbitrary<MessageEnvelope> {
  return fc.record({
    messageId: text,
    correlationId: fc.option(text),
    messageType: fc.option(text),
    contentType: fc.option(text),
    body: fc.option(fc.uint8Array({ maxLength: 300 })),
    userProperties: fc.dictionary(text, text, { maxKeys: 4 }),
  }).map(({ messageId, correlationId, messageType, contentType, body, userProperties }) => {
    const envelope = new MessageEnvelope(correlationId, messageType, body);
    envelope.messageId = messageId;
    envelope.contentType = contentType;
    envelope.userProperties = userProperties;
    return envelope;
  });
}

/** What comes out of a broker when an envelope goes in: through the packet's bytes and back. */
function throughTheWire(
  envelope: MessageEnvelope,
  serializeEnvelope: boolean | undefined,
  protocolVersion: 4 | 5,
): MessageEnvelope {
  const { payload, properties } = encodeEnvelope(envelope, {
    correlationId: null,
    serializeEnvelope,
    protocolVersion,
    expiry: null,
    now: NOW,
  });
  const bytes = mqttPacket.generate({
    cmd: "publish",
    topic: "t",
    payload: Buffer.from(payload),
    qos: 1,
    messageId: 1,
    dup: false,
    retain: false,
    properties: {
      ...properties,
      correlationData: properties.correlationData && Buffer.from(properties.correlationData),
    },
  }, { protocolVersion });
  const parser = mqttPacket.parser({ protocolVersion });
  let parsed: mqttPacket.IPublishPacket | undefined;
  parser.on("packet", (packet) => parsed = packet as mqttPacket.IPublishPacket);
  parser.parse(bytes);
  assert.ok(parsed !== undefined);
  return decodeEnvelope(
    {
      topic: "t",
      payload: parsed.payload as Uint8Array,
      qos: 1,
      retain: false,
      dup: false,
      packetId: 1,
      properties: (parsed.properties ?? {}) as never,
    },
    serializeEnvelope,
    NOW,
  ).envelope;
}

function factsOf(envelope: MessageEnvelope): unknown {
  const { messageId, correlationId, messageType, contentType, message, userProperties } = envelope;
  return {
    ...{ messageId, correlationId, messageType, contentType },
    body: message === null ? null : [...message],
    userProperties: Object.entries(userProperties).sort(),
  };
}

for (const protocolVersion of [4, 5] as const) {
  for (const serializeEnvelope of [undefined, true]) {
    const form = serializeEnvelope ? "as JSON" : "as it comes";
    Deno.test(`any envelope survives the wire ${form}, version ${protocolVersion}`, async () => {
      await check(fc.property(anyEnvelope(anyText), (envelope) => {
        const read = throughTheWire(envelope, serializeEnvelope, protocolVersion);
        assert.deepEqual(factsOf(read), factsOf(envelope));
        assert.equal(read.sentTime?.getTime(), NOW);
      }));
    });
  }
}

Deno.test("any envelope of plain text survives the wire beside its bare body, version 5", async () => {
  const ours = ["message_id", "message_type", "sent_time"];
  await check(fc.property(anyEnvelope(plainText), (envelope) => {
    fc.pre(!ours.some((name) => Object.hasOwn(envelope.userProperties, name)));
    envelope.message ??= new Uint8Array(); // A bare body that is none arrives as an empty one.
    assert.deepEqual(factsOf(throughTheWire(envelope, false, 5)), factsOf(envelope));
  }));
});

Deno.test("what cannot be sent beside a bare body is refused by a TypeError", async () => {
  await check(fc.property(anyEnvelope(anyText), (envelope) => {
    try {
      throughTheWire(envelope, false, 5);
    } catch (error) {
      assert.ok(error instanceof TypeError, `${error}`);
      assert.match(error.message, /^Cannot send: /);
    }
  }));
});

Deno.test("whatever arrives is read, and its body is not lost", async () => {
  await check(
    fc.property(anyDelivery, fc.constantFrom(undefined, true, false), (delivery, serialize) => {
      const { envelope, hasOwnId } = decodeEnvelope(delivery, serialize, NOW);
      assert.equal(typeof envelope.messageId, "string");
      assert.equal(envelope.topic, delivery.topic);
      assert.doesNotThrow(() =>
        `${envelope} ${JSON.stringify(envelope)} ${Deno.inspect(envelope)}`
      );
      assert.doesNotThrow(() => envelope.getMessageAsString());
      if (!hasOwnId) assert.deepEqual(envelope.message, delivery.payload);
    }),
    3_000,
  );
});
