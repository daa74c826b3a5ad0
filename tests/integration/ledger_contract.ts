import assert from "node:assert/strict";
import { MessageEnvelope, MqttMessageQueue, type QoS } from "../../mod.ts";
import { pseudoRandom } from "../lib/pseudo_random.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";
import type { ContractSetting } from "./queue_contract.ts";

const MESSAGES = 10_000;
const WORKERS = 16;
const CUTS = 8;

/** When a receive is aborted: before it waits, while it waits, just before a message comes to it, just after. */
const ABORTS: ((abort: () => void, queue: MqttMessageQueue) => void)[] = [
  (abort) => queueMicrotask(abort),
  (abort) => setTimeout(abort),
  (abort, queue) => queue.addEventListener("arrive", abort, { once: true }),
  (abort, queue) => queue.addEventListener("arrive", () => queueMicrotask(abort), { once: true }),
];
const ENOUGH = new Error("enough");

/**
 * What every broker must show of 10,000 messages among cuts, aborts and abandons: while they are
 * sent and received at once, and while they are received.
 */
export function ledgerContract(setting: ContractSetting): void {
  const { name } = setting;
  for (const qos of [1, 2] as QoS[]) {
    Deno.test(`${MESSAGES} messages are settled through cuts, aborts and abandons, QoS ${qos} (${name})`, async () => {
      await keepLedger(setting, qos, false);
    });
    Deno.test(`${MESSAGES} messages are received through cuts, aborts and abandons, QoS ${qos} (${name})`, async () => {
      await keepLedger(setting, qos, true);
    });
  }
}

/** @param first whether all of them are sent before the first is received */
async function keepLedger(
  { start, protocolVersion }: ContractSetting,
  qos: QoS,
  first: boolean,
): Promise<void> {
  const random = pseudoRandom(qos);
  await using broker = await start();
  await using proxy = new TcpProxy(Number(new URL(broker.url).port));
  const options = { url: proxy.url, protocolVersion, qos, reconnectTimeout: 10 };
  await using sender = new MqttMessageQueue("ledger", options);
  await using queue = new MqttMessageQueue("ledger", {
    ...options,
    clientId: "worker",
    receiveMode: "peekLock",
    autoSubscribe: true,
    maxDeliveries: 1_000,
  });
  await sender.open();
  await queue.open();

  /** The ledger is the test's own: what was sent, and how often each was completed. */
  const sent: string[] = [];
  const completed = new Map<string, number>();
  const aborted = ABORTS.map(() => 0);
  let abandoned = 0;

  const send = async () => {
    while (sent.length < MESSAGES) {
      const batch = Array.from(
        { length: 250 },
        (_, index) => new MessageEnvelope(null, "job", `${sent.length + index}`),
      );
      await sender.sendBatch(null, batch);
      sent.push(...batch.map((each) => each.messageId));
    }
  };
  /** Receives, unless the receive is aborted, as one in five is. */
  const receive = async () => {
    const abort = new AbortController();
    const received = queue.receive(null, 200, { signal: abort.signal });
    const kind = random(5 * ABORTS.length);
    ABORTS[kind]?.(() => abort.abort(ENOUGH), queue);
    try {
      return await received;
    } catch (error) {
      if (error !== ENOUGH) throw error;
      aborted[kind]++;
      return null;
    }
  };
  const work = async () => {
    while (completed.size < MESSAGES) {
      const message = await receive();
      if (message === null) continue;
      const chance = random(100);
      if (chance < 10) {
        await queue.abandon(message, { delay: chance < 5 ? 0 : 5 });
        abandoned++;
      } else {
        await queue.complete(message);
        completed.set(message.messageId, (completed.get(message.messageId) ?? 0) + 1);
      }
    }
  };
  const cut = async () => {
    for (let cuts = 1; cuts <= CUTS; cuts++) {
      const due = Math.min(MESSAGES - 1, cuts * MESSAGES / (CUTS + 1));
      while (completed.size < due) await new Promise((resolve) => setTimeout(resolve, 1));
      proxy.cut();
    }
  };
  if (first) await send();
  await Promise.all([...Array.from({ length: WORKERS }, work), first || send(), cut()]);

  assert.deepEqual(new Set(completed.keys()), new Set(sent));
  const times = [...completed.values()].reduce((sum, each) => sum + each, 0);
  assert.equal(times, MESSAGES);
  assert.equal(queue.stats().abandoned, abandoned, "an aborted receive kept a message");
  assert.ok(first || Math.min(...aborted.slice(0, 3)) > 0, `aborted ${aborted}`);
  await settleAll(queue);
  assert.equal(queue.stats().locked, 0);
  await queue.close();
  await queue.open();
  assert.equal(await queue.readMessageCount(), 0);
}

/** Waits until a link that was not cut says that nothing is left. */
async function settleAll(queue: MqttMessageQueue): Promise<void> {
  for (const late = Date.now() + 20_000;;) {
    assert.ok(Date.now() < late, "no link lasts long enough to count");
    const { reconnects } = queue.stats();
    const count = await queue.readMessageCount();
    assert.equal(count, 0, "messages came again");
    if (queue.state === "connected" && queue.stats().reconnects === reconnects) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
