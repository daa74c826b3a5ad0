import assert from "node:assert/strict";
import { MessageEnvelope, MqttMessageQueue, type QoS } from "../../mod.ts";
import { pseudoRandom } from "../lib/pseudo_random.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";
import type { ContractSetting } from "./queue_contract.ts";

const MESSAGES = 10_000;
const WORKERS = 16;
const CUTS = 8;

/**
 * What every broker must show of 10,000 messages among cuts, aborts and abandons: while they are
 * sent and received at once, and while they are received.
 */
export function ledgerContract({ name, start, protocolVersion }: ContractSetting): void {
  const cases = ([1, 2] as QoS[]).flatMap((qos) => [{ qos, first: false }, { qos, first: true }]);
  for (const { qos, first } of cases) {
    const what = first
      ? `${MESSAGES} messages are received through cuts, aborts and abandons`
      : `${MESSAGES} messages are settled through cuts, aborts and abandons`;
    Deno.test(`${what}, QoS ${qos} (${name})`, async () => {
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
      const work = async () => {
        while (completed.size < MESSAGES) {
          const abort = new AbortController();
          const received = queue.receive(null, 200, { signal: abort.signal });
          if (random(100) < 5) queueMicrotask(() => abort.abort());
          const message = await received.catch(() => null);
          if (message === null) continue;
          const chance = random(100);
          if (chance < 5) await queue.abandon(message);
          else if (chance < 10) await queue.abandon(message, { delay: 5 });
          else {
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
      await Promise.all([first || send(), cut(), ...Array.from({ length: WORKERS }, work)]);

      assert.deepEqual(new Set(completed.keys()), new Set(sent));
      const times = [...completed.values()].reduce((sum, each) => sum + each, 0);
      assert.equal(times, MESSAGES);
      await settleAll(queue);
      assert.equal(queue.stats().locked, 0);
      await queue.close();
      await queue.open();
      assert.equal(await queue.readMessageCount(), 0);
    });
  }
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
