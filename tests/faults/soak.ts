/**
 * An hour of mixed traffic with a lost link every few seconds: `deno run … tests/faults/soak.ts [--minutes N]`.
 * Prints what the process holds at the start, in the middle and at the end; ends with 1 where that grew,
 * or a message is missing. `--v8-flags=--expose-gc` makes the heap's figure one of what is in use.
 */

import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { MessageEnvelope, MqttMessageQueue, type QoS } from "../../mod.ts";
import { pseudoRandom } from "../lib/pseudo_random.ts";
import { ChildProcess } from "../support/child_process.ts";
import { Mosquitto } from "../support/mosquitto.ts";
import { findExecutable } from "../support/tools.ts";
import { FaultyNetwork } from "./faulty_network.ts";

const MINUTE = 60_000;
const MIB = 1024 * 1024;
/** Between two lost links: so long at least, and as long again at random. */
const CUT_MS = 2_000;
const BATCH = 20;
const PAUSE_MS = 50;
const SETTLE_BOUND_MS = 60_000;
/** What a heap and a resident set may grow by between the middle and the end. */
const MAX_GROWTH_MIB = 64;
const BODIES = ["", "x", "y".repeat(1_000), "z".repeat(100_000)];

/** What a process holds. */
interface Holding {
  minute: number;
  residentMib: number;
  heapMib: number;
  openFiles: number;
  timers: number;
  sent: number;
  settled: number;
  reconnects: number;
}

/** The traffic: a queue that sends and takes, and what its own ledger says. */
class Traffic {
  readonly queue: MqttMessageQueue;
  readonly open = new Set<string>();
  readonly errors: string[] = [];
  sent = 0;
  settled = 0;
  readonly #random = pseudoRandom(1);

  constructor(url: string) {
    this.queue = new MqttMessageQueue("soak", {
      ...{ url, clientId: "soak", autoSubscribe: true, receiveMode: "peekLock" },
      ...{
        reconnectTimeout: 20,
        keepaliveTimeout: 5_000,
        sendTimeout: 120_000,
        maxDeliveries: 1_000,
      },
    });
    this.queue.addEventListener("error", ({ detail: { error } }) => {
      if (error.message !== "again") this.errors.push(`${error}`);
    });
  }

  /** Sends, peeks, counts, gives up and takes back until it is stopped; a listener settles. */
  async run(signal: AbortSignal): Promise<void> {
    const { queue } = this;
    queue.beginListen(null, (envelope) => this.#settle(envelope), { concurrency: 4 });
    while (!signal.aborted) {
      const envelopes = Array.from({ length: BATCH }, () => {
        return new MessageEnvelope(null, "job", BODIES[this.#random(BODIES.length)]);
      });
      for (const { messageId } of envelopes) this.open.add(messageId);
      await queue.sendBatch(null, envelopes, { qos: (1 + this.#random(2)) as QoS });
      this.sent += BATCH;
      const chance = this.#random(20);
      if (chance === 0) await queue.peekBatch(null, 10);
      if (chance === 1) await queue.readMessageCount();
      if (chance === 2) await queue.receive(null, 1).then((one) => one && queue.abandon(one));
      if (chance === 3) await queue.deadLetters.redrive().catch(() => {}); // The link may be down.
      await delay(PAUSE_MS);
    }
    for (const late = Date.now() + SETTLE_BOUND_MS; this.open.size > 0 && Date.now() < late;) {
      await queue.deadLetters.redrive().catch(() => {}); // As above.
      await delay(PAUSE_MS);
    }
    await queue.endListen();
  }

  async #settle(envelope: MessageEnvelope): Promise<void> {
    const chance = this.#random(100);
    if (chance === 0) throw new Error("again");
    if (chance === 1) {
      // A copy that is not confirmed leaves the message locked: thrown, it goes back.
      await this.queue.moveToDeadLetter(envelope);
      return;
    }
    if (chance < 10) await delay(this.#random(10));
    if (this.open.delete(envelope.messageId)) this.settled++;
  }
}

async function measure(traffic: Traffic, startedAt: number): Promise<Holding> {
  (globalThis as { gc?: () => void }).gc?.();
  const { rss, heapUsed } = Deno.memoryUsage();
  const active = process.getActiveResourcesInfo?.() ?? [];
  return {
    minute: Math.round((Date.now() - startedAt) / MINUTE),
    residentMib: Math.round(rss / MIB),
    heapMib: Math.round(heapUsed / MIB),
    openFiles: await openFiles(),
    timers: active.filter((name) => name === "Timeout").length,
    sent: traffic.sent,
    settled: traffic.settled,
    reconnects: traffic.queue.stats().reconnects,
  };
}

/** How many files, sockets and pipes this process has open. A shell looks: /proc is open to `--allow-all` alone. */
async function openFiles(): Promise<number> {
  const shell = await findExecutable("sh", ["/bin", "/usr/bin"]);
  const { stdout } = await ChildProcess.start(shell!, ["-c", `ls /proc/${Deno.pid}/fd`]).result();
  return stdout.trim().split("\n").length;
}

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { minutes: { type: "string" } } });
  const lastsMs = Number(values.minutes ?? 60) * MINUTE;
  await using broker = await Mosquitto.start();
  await using network = await FaultyNetwork.start(broker.port);
  const traffic = new Traffic(`mqtt://127.0.0.1:${network.port}`);
  await traffic.queue.open();
  const stop = new AbortController();
  const running = traffic.run(stop.signal);
  const random = pseudoRandom(2);
  const startedAt = Date.now();
  const holdings: Holding[] = [];
  // The first tenth warms up: what is measured then is not compared.
  for (const part of [0.1, 0.5, 1]) {
    while (Date.now() < startedAt + part * lastsMs) {
      await delay(Math.min(CUT_MS + random(CUT_MS), lastsMs / 10));
      network.cut();
    }
    holdings.push(await measure(traffic, startedAt));
  }
  stop.abort();
  await running;
  await traffic.queue.close();
  console.table(holdings);
  const [, middle, end] = holdings;
  const flaws = [
    ...traffic.errors,
    ...[...traffic.open].map((id) => `not settled: ${id}`),
    ...end.heapMib - middle.heapMib > MAX_GROWTH_MIB ? ["the heap grew"] : [],
    ...end.residentMib - middle.residentMib > MAX_GROWTH_MIB ? ["resident memory grew"] : [],
    // A link that is being made again has one socket more or less.
    ...end.openFiles - middle.openFiles > 8 ? ["more files are open"] : [],
  ];
  for (const flaw of flaws.slice(0, 20)) console.error(flaw);
  return flaws.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
