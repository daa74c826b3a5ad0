import type { Delivery } from "../../lib/connection.ts";
import { fc } from "./deps.ts";

const encoder = new TextEncoder();

/** Any text there is: half surrogate pairs, control characters, the names of an object's own members. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }),
  fc.constantFrom(
    "__proto__",
    "constructor",
    "toString",
    "message_id",
    "message_type",
    "sent_time",
  ),
);

/** Keys of an envelope, and values that do not belong there. */
const nearlyEnvelope = fc.record({
  message_id: fc.anything(),
  correlation_id: fc.anything(),
  trace_id: fc.anything(),
  message_type: fc.anything(),
  sent_time: fc.oneof(
    fc.anything(),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  ),
  message: fc.oneof(fc.anything(), fc.base64String()),
  content_type: fc.anything(),
  user_properties: fc.anything(),
  dead_letter: fc.anything(),
}, { requiredKeys: [] });

/** Any payload: noise, JSON, what looks like an envelope and is none, and parts of it. */
export const anyPayload: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  anyText.map((text) => encoder.encode(text)),
  fc.json().map((text) => encoder.encode(text)),
  nearlyEnvelope.map((value) => encoder.encode(stringify(value))),
  fc.tuple(nearlyEnvelope, fc.nat(500)).map(([value, length]) =>
    encoder.encode(stringify(value)).slice(0, length)
  ),
  fc.nat(2_000).map((depth) => encoder.encode('{"message_id":' + "[".repeat(depth))),
);

/** Any message as the network may bring it. */
export const anyDelivery: fc.Arbitrary<Delivery> = fc.record({
  topic: anyText,
  payload: anyPayload,
  qos: fc.constantFrom(0, 1, 2),
  retain: fc.boolean(),
  dup: fc.boolean(),
  packetId: fc.integer({ min: 1, max: 65_535 }),
  properties: fc.record({
    contentType: anyText,
    correlationData: fc.uint8Array({ maxLength: 50 }),
    messageExpiryInterval: fc.nat(),
    userProperties: fc.dictionary(anyText, fc.oneof(anyText, fc.array(anyText, { maxLength: 3 }))),
  }, { requiredKeys: [] }),
}) as fc.Arbitrary<Delivery>;

/** JSON cannot say everything that there is. */
function stringify(value: unknown): string {
  try {
    return JSON.stringify(value, (_, each) => typeof each === "bigint" ? `${each}` : each);
  } catch {
    return "{"; // A value that makes itself no JSON: so be it.
  }
}
