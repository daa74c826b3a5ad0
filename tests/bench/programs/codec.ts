// What it costs to write and to read an envelope, beside the body and as JSON: nanoseconds, broker left out.
import type { Delivery } from "../../../lib/connection.ts";
import { decodeEnvelope, encodeEnvelope } from "../../../lib/envelope_codec.ts";
import { MessageEnvelope } from "../../../mod.ts";
import { median } from "../statistics.ts";

const SLICES = 11;
const { size, count } = JSON.parse(Deno.args[0]);
const body = new Uint8Array(size).fill(97);
const figures: Record<string, number> = {};

/** The median of several slices; the first ones warm up. */
function timed(work: () => unknown): number {
  const slices: number[] = [];
  for (let slice = -SLICES; slice < SLICES; slice++) {
    const start = performance.now();
    for (let i = 0; i < count; i++) work();
    if (slice >= 0) slices.push((performance.now() - start) * 1e6 / count);
  }
  return median(slices);
}

for (const [form, protocolVersion] of [["properties", 5], ["JSON", 4]] as const) {
  const encode = () =>
    encodeEnvelope(new MessageEnvelope("order-7", "m", body), {
      correlationId: null,
      serializeEnvelope: undefined,
      protocolVersion,
      expiry: null,
      now: Date.now(),
    });
  const { payload, properties } = encode();
  const delivery: Delivery = {
    topic: "bench",
    payload,
    qos: 1,
    retain: false,
    dup: false,
    packetId: 1,
    properties,
  };
  figures[`encode, ${form}`] = timed(encode);
  figures[`decode, ${form}`] = timed(() => decodeEnvelope(delivery, undefined, Date.now()));
}
console.log(JSON.stringify(figures));
