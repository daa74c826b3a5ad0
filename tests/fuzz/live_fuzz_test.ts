import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { EmbeddedBroker } from "../../server/broker.ts";
import { MqttMessageQueue } from "../../mod.ts";
import { FakeBroker } from "../support/fake_broker.ts";
import { Mosquitto } from "../support/mosquitto.ts";
import { fc } from "./deps.ts";
import { anyPayload, anyText } from "./hostile_messages.ts";
import { fuzzLive, isFlawless } from "./live_fuzz.ts";

const MESSAGES = 10_000;
const SEED = Number(Deno.env.get("FUZZ_SEED") ?? crypto.getRandomValues(new Int32Array(1))[0]);

Deno.test(`${MESSAGES} hostile messages arrive, each one in its place (Mosquitto, 5)`, async () => {
  await using broker = await Mosquitto.start();
  const report = await fuzzLive({ url: broker.url, protocolVersion: 5 }, MESSAGES, SEED);
  assert.ok(isFlawless(report, MESSAGES), Deno.inspect({ SEED, report }));
});

Deno.test(`${MESSAGES} hostile messages arrive, each one in its place (embedded broker)`, async () => {
  await using broker = await EmbeddedBroker.start({ port: 0 });
  const report = await fuzzLive({ url: broker.url, protocolVersion: 4 }, MESSAGES, SEED);
  assert.ok(isFlawless(report, MESSAGES), Deno.inspect({ SEED, report }));
});

Deno.test("whatever a broker puts into properties arrives", async () => {
  const count = 500;
  const properties = fc.record({
    contentType: anyText,
    correlationData: fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
    userProperties: fc.dictionary(anyText, fc.oneof(anyText, fc.array(anyText, { minLength: 1 })), {
      minKeys: 1,
    }),
  }, { requiredKeys: [] });
  const payloads = fc.sample(anyPayload, { seed: SEED, numRuns: count });
  const hostile = fc.sample(properties, { seed: SEED, numRuns: count });
  await using broker = new FakeBroker((packet) => {
    if (packet.cmd === "connect") {
      return [{ cmd: "connack", returnCode: 0, reasonCode: 0, sessionPresent: false }];
    }
    if (packet.cmd === "pingreq") return [{ cmd: "pingresp" }];
    if (packet.cmd !== "subscribe") return "silence";
    return [
      { cmd: "suback", messageId: packet.messageId, granted: [1], reasonCode: 0 },
      ...payloads.map((payload, index) => ({
        cmd: "publish" as const,
        topic: `fuzz/${index}`,
        payload: Buffer.from(payload),
        qos: 1 as const,
        messageId: index + 1,
        dup: false,
        retain: false,
        properties: hostile[index],
      })),
    ];
  });
  await using queue = new MqttMessageQueue("fuzz/#", { url: broker.url, protocolVersion: 5 });
  const errors: unknown[] = [];
  queue.addEventListener("error", ({ detail }) => errors.push(detail.error));
  await queue.open();
  for (let index = 0; index < count; index++) {
    const envelope = await queue.receive(null, 10_000);
    assert.equal(envelope?.topic, `fuzz/${index}`, Deno.inspect({ SEED }));
    assert.doesNotThrow(() => `${envelope}${JSON.stringify(envelope)}`);
  }
  assert.deepEqual(errors, []);
});
