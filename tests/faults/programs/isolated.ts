// Runs in a network namespace of its own: takes its only device down and up, again and again, while
// messages go to and fro. Prints what became of them.
import { setTimeout as delay } from "node:timers/promises";
import { MessageEnvelope, MqttMessageQueue, type QoS } from "../../../mod.ts";
import { Mosquitto } from "../../support/mosquitto.ts";

const BATCH = 20;
const PAUSE_MS = 10;
const UP_MS = 600;
const WAIT_MS = 30_000;

/** What went to and fro at one quality of service. */
interface Tally {
  qos: QoS;
  sent: number;
  received: number;
  /** Bodies, in the order in which they came, that are not the next one. */
  wrong: string[];
  reconnects: number;
}

async function setDevice(state: "up" | "down"): Promise<void> {
  const { success } = await new Deno.Command("ip", { args: ["link", "set", "lo", state] }).output();
  if (!success) throw new Error(`Cannot set the device ${state}`);
}

async function traffic(url: string, qos: QoS, stop: AbortSignal): Promise<Tally> {
  await using queue = new MqttMessageQueue(`isolated/${qos}`, {
    ...{ url, qos, clientId: `isolated-${qos}`, autoSubscribe: true },
    ...{ keepaliveTimeout: 1_000, connectTimeout: 1_000, reconnectTimeout: 20 },
    sendTimeout: WAIT_MS,
  });
  await queue.open();
  const tally: Tally = { qos, sent: 0, received: 0, wrong: [], reconnects: 0 };
  const sending = (async () => {
    for (let number = 0; !stop.aborted; number += BATCH) {
      const batch = Array.from({ length: BATCH }, (_, index) => `${number + index}`);
      await queue.sendBatch(null, batch.map((body) => new MessageEnvelope(null, "job", body)));
      tally.sent += BATCH;
      await delay(PAUSE_MS);
    }
  })();
  let through = false;
  sending.finally(() => through = true);
  while (!through || tally.received < tally.sent) {
    const waitMs = through ? WAIT_MS : 200;
    const message = await queue.receive(null, waitMs);
    if (message === null && waitMs === WAIT_MS) break; // What did not come by now is lost.
    if (message === null) continue;
    const body = message.getMessageAsString()!;
    if (body !== `${tally.received}`) tally.wrong.push(body);
    tally.received++;
  }
  await sending;
  // The last message may come in one chunk with the CONNACK, before the link is told to be up.
  for (let waited = 0; queue.state !== "connected" && waited < WAIT_MS; waited += PAUSE_MS) {
    await delay(PAUSE_MS);
  }
  tally.reconnects = queue.stats().reconnects;
  return tally;
}

await setDevice("up");
await using broker = await Mosquitto.start();
const stop = new AbortController();
const flows = ([1, 2] as QoS[]).map((qos) => traffic(broker.url, qos, stop.signal));
for (const downMs of Deno.args.map(Number)) {
  await delay(UP_MS);
  await setDevice("down");
  await delay(downMs);
  await setDevice("up");
}
await delay(UP_MS);
stop.abort();
console.log(JSON.stringify(await Promise.all(flows)));
