// What an operation costs while so many messages are held: microseconds, each the median of groups of ten.
import { MessageEnvelope, MqttMessageQueue } from "../../../mod.ts";
import { median } from "../statistics.ts";

const GROUP = 10;
const POLL_MS = 1;
const WAIT_MS = 5_000;
const BATCH = 1_000;
// So many go through first whatever is held later: who holds few would otherwise be measured cold.
const { url, version, held, groups, warmUp } = JSON.parse(Deno.args[0]);

const queue = new MqttMessageQueue(`bench-${crypto.randomUUID()}`, {
  url,
  protocolVersion: version,
  autoSubscribe: true,
  maxDeliveries: 1e9,
  lockTimeout: 600_000,
});
await queue.open();
const body = new Uint8Array(100).fill(97);

/** Sends until so many are held. */
async function fill(): Promise<void> {
  const missing = held - queue.stats().available;
  const envelopes = Array.from({ length: missing }, () => new MessageEnvelope(null, "m", body));
  await queue.sendBatch(null, envelopes);
  while (queue.stats().available < held) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Microseconds of one of them. */
async function timed(work: () => Promise<unknown> | unknown): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < GROUP; i++) await work();
  return (performance.now() - start) * 1000 / GROUP;
}

async function taken(): Promise<MessageEnvelope> {
  const envelope = await queue.receive(null, WAIT_MS, { mode: "peekLock" });
  if (envelope === null) throw new Error("Cannot measure: nothing is held");
  return envelope;
}

for (let through = 0; through < warmUp; through += BATCH) {
  const batch = Array.from({ length: BATCH }, () => new MessageEnvelope(null, "m", body));
  await queue.sendBatch(null, batch);
  for (let taken = 0; taken < BATCH;) {
    taken += (await queue.receiveBatch(null, BATCH, WAIT_MS)).length;
  }
}

const costs: Record<string, number[]> = {};
for (let group = -groups; group < groups; group++) {
  await fill();
  const note = (name: string, microseconds: number) => {
    if (group >= 0) (costs[name] ??= []).push(microseconds); // Those before are slow and say nothing.
  };
  const locked: MessageEnvelope[] = [];
  note("peek", await timed(() => queue.peek(null)));
  note("peekBatch", await timed(() => queue.peekBatch(null, GROUP)));
  note("stats", await timed(() => queue.stats()));
  note("count", await timed(() => queue.readMessageCount()));
  note("lock", await timed(async () => locked.push(await taken())));
  note("abandon", await timed(() => queue.abandon(locked.pop()!)));
  for (let i = 0; i < GROUP; i++) locked.push(await taken());
  note("complete", await timed(() => queue.complete(locked.shift()!)));
  await fill();
  note("receive", await timed(() => queue.receive(null, WAIT_MS)));
}
await queue.clear();
await queue.close();
console.log(
  JSON.stringify(
    Object.fromEntries(Object.entries(costs).map(([name, values]) => [name, median(values)])),
  ),
);
