/**
 * Hostile messages through a live queue: `deno run … tests/fuzz/live_fuzz.ts [--messages N | --long] [--seed N]`.
 * `--long` sends a million. Ends with 1 where one does not arrive, anything throws, or the heap grows,
 * which is seen with `--v8-flags=--expose-gc` alone.
 */

import { parseArgs } from "node:util";
import { EmbeddedBroker } from "../../server/broker.ts";
import { MessageEnvelope, MqttMessageQueue } from "../../mod.ts";
import { mqtt } from "../deps.ts";
import { Mosquitto } from "../support/mosquitto.ts";
import { fc } from "./deps.ts";
import { anyPayload } from "./hostile_messages.ts";

const LONG = 1_000_000;
/** So many different ones are made up, and sent again and again. */
const DIFFERENT = 2_000;
const WINDOW = 500;
const WAIT_MS = 20_000;
const MIB = 1024 * 1024;
const MAX_GROWTH_MIB = 16;

/** What came of a run. */
export interface LiveFuzzReport {
  sent: number;
  received: number;
  errors: string[];
  /** What the collector leaves after a quarter of the messages and at the end, in MiB; `NaN` where it cannot be called. */
  earlyHeapMib: number;
  lateHeapMib: number;
  /** Resident memory at the end, in MiB. */
  residentMib: number;
}

/** A broker that hostile messages go through. */
export interface FuzzedBroker {
  url: string;
  protocolVersion: 4 | 5;
}

/** Whether every message arrived, nothing threw, and the heap, where it could be measured, did not grow. */
export function isFlawless(report: LiveFuzzReport, messages: number): boolean {
  const grown = report.lateHeapMib - report.earlyHeapMib;
  return report.errors.length === 0 && report.received === messages && !(grown > MAX_GROWTH_MIB);
}

/** Sends hostile messages past the queue's own sender, and takes each one out of a queue. */
export async function fuzzLive(
  { url, protocolVersion }: FuzzedBroker,
  messages: number,
  seed: number,
): Promise<LiveFuzzReport> {
  const payloads = fc.sample(anyPayload, { seed, numRuns: DIFFERENT });
  const properties = fc.sample(anyProperties, { seed, numRuns: DIFFERENT });
  const report: LiveFuzzReport = {
    ...{ sent: 0, received: 0, errors: [] },
    ...{ earlyHeapMib: NaN, lateHeapMib: NaN, residentMib: 0 },
  };
  const fail = (what: string) => report.errors.push(what);
  await using queue = new MqttMessageQueue("fuzz/#", {
    ...{ url, protocolVersion, autoSubscribe: true, receiveMode: "peekLock", qos: 2 },
  });
  queue.addEventListener("error", ({ detail: { error } }) => fail(`error event: ${error}`));
  queue.addEventListener("arrive", ({ detail: { envelope } }) => void `${envelope}`);
  await queue.open();
  const client = await mqtt.connectAsync(url, { protocolVersion, reconnectPeriod: 0 });
  try {
    const receiving = receiveAll(queue, messages, report);
    for (let number = 0; number < messages && report.errors.length === 0;) {
      const window: Promise<unknown>[] = [];
      // One after the other: at QoS 2 a broker may hand on later than at QoS 1.
      const qos = number / WINDOW % 4 === 0 ? 2 : 1;
      for (; window.length < WINDOW && number < messages; number++) {
        window.push(client.publishAsync(`fuzz/${number}`, payloads[number % DIFFERENT] as never, {
          qos,
          properties: protocolVersion === 5 ? { ...properties[number % DIFFERENT] } : undefined,
        }));
      }
      await Promise.all(window);
      report.sent += window.length;
    }
    await receiving;
  } catch (error) {
    fail(`thrown: ${error}`);
  } finally {
    await client.endAsync();
  }
  return report;
}

async function receiveAll(
  queue: MqttMessageQueue,
  messages: number,
  report: LiveFuzzReport,
): Promise<void> {
  const decoder = new TextDecoder();
  while (report.received < messages) {
    const batch = await queue.receiveBatch(null, 100, WAIT_MS);
    if (batch.length === 0) {
      report.errors.push(`nothing came for ${WAIT_MS} ms after ${report.received} messages`);
      return;
    }
    for (const envelope of batch) {
      // One sender's messages come in their order; nothing of one can make another vanish.
      const expected = `fuzz/${report.received++}`;
      if (envelope.topic !== expected) {
        report.errors.push(`${envelope.topic} came in place of ${expected}`);
        return;
      }
      void `${envelope}${JSON.stringify(envelope)}${decoder.decode(envelope.message ?? undefined)}`;
      MessageEnvelope.fromJSON(envelope.toJSON());
      await queue.complete(envelope);
    }
    if (Number.isNaN(report.earlyHeapMib) && report.received >= messages / 4) {
      report.earlyHeapMib = heapMib();
    }
  }
  report.lateHeapMib = heapMib();
  report.residentMib = Math.round(Deno.memoryUsage().rss / MIB);
}

function heapMib(): number {
  const { gc } = globalThis as { gc?: () => void };
  gc?.();
  return gc === undefined ? NaN : Math.round(Deno.memoryUsage().heapUsed / MIB);
}

/** Text that a broker lets through: Mosquitto ends the link of whoever sends control characters. */
const passable = fc.string({ unit: "grapheme" })
  .filter((text) => text.isWellFormed() && !/[\p{Cc}\p{Noncharacter_Code_Point}]/u.test(text));
const anyName = fc.oneof(
  passable,
  fc.constantFrom(
    "__proto__",
    "constructor",
    "message_id",
    "message_type",
    "sent_time",
    "traceparent",
  ),
);
const anyProperties = fc.record({
  contentType: passable,
  messageExpiryInterval: fc.integer({ min: 3_600, max: 4_294_967_295 }),
  payloadFormatIndicator: fc.boolean(),
  responseTopic: fc.constantFrom("a", "a/b"),
  // MQTT.js makes a malformed packet of none at all.
  userProperties: fc.dictionary(anyName, fc.oneof(passable, fc.array(passable, { minLength: 1 })), {
    minKeys: 1,
  }),
}, { requiredKeys: [] });

/** Runs it on both brokers and prints what came of it. */
async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      messages: { type: "string" },
      long: { type: "boolean" },
      seed: { type: "string" },
    },
  });
  const messages = Number(values.messages ?? (values.long ? LONG : 20_000));
  const seed = Number(values.seed ?? crypto.getRandomValues(new Uint32Array(1))[0]);
  let flawed = false;
  const run = async (name: string, broker: FuzzedBroker) => {
    const report = await fuzzLive(broker, messages, seed | 0);
    console.log(name, `seed ${seed | 0}`, report);
    flawed ||= !isFlawless(report, messages);
  };
  await using mosquitto = await Mosquitto.start();
  await run("Mosquitto, 5", { url: mosquitto.url, protocolVersion: 5 });
  await using embedded = await EmbeddedBroker.start({ port: 0 });
  await run("embedded broker, 3.1.1", { url: embedded.url, protocolVersion: 4 });
  return flawed ? 1 : 0;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
