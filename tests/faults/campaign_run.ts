import { setTimeout as delay } from "node:timers/promises";
import type { QoS } from "../../mod.ts";
import { EmbeddedBroker } from "../../server/broker.ts";
import { Mosquitto } from "../support/mosquitto.ts";
import { campaignSlots } from "./campaign_slots.ts";
import { injectFaults } from "./fault_injection.ts";
import { planFaults, type Scale } from "./plan.ts";
import type { Recovery } from "./recovery.ts";
import { Slot } from "./slot.ts";
import { LedgerTally, type Tally } from "./tally.ts";
import { leftFor, retainedIds, Watcher } from "./watcher.ts";

const DEAD_LETTERS = "dead-letter/#";
/** So few messages are looked for among the dead letters. */
const FEW = 500;
const POLL_MS = 500;
/** How long what was sent may take to be settled once nothing is broken any more. */
const DRAIN_BOUND_MS = 60_000;
/** What is silent for so long has nothing more to take. */
const SILENT_MS = 3_000;

/** What a campaign did at one quality of service, and what came of it. */
export interface QosReport extends Tally {
  qos: QoS;
  kills: number;
  killsAtPoint: number;
  stops: number;
  restarts: number;
  networkFaults: number;
  /** Processes that died without being killed. */
  deaths: string[];
  /** Messages that the broker still has for a consumer that says it is through. */
  left: number;
  recoveries: Recovery[];
}

/** The whole campaign. */
export interface CampaignReport {
  seed: number;
  tookMs: number;
  parts: QosReport[];
}

/** How a campaign is watched. */
export interface CampaignOptions {
  /** Hears how it goes on. */
  tell?: (line: string) => void;
  /** A folder in which the ledgers stay. */
  ledgers?: string;
  /** The server's own broker in place of Mosquitto: it speaks 3.1.1 only, and keeps nothing when it ends. */
  embedded?: boolean;
}

/** The part of a campaign that has one quality of service. */
interface Half {
  qos: QoS;
  tally: LedgerTally;
  slots: Slot[];
}

/** Breaks everything that can break while messages go to and fro, and lays the ledgers side by side. */
export async function runCampaign(
  seed: number,
  scale: Scale,
  { tell, ledgers, embedded = false }: CampaignOptions = {},
): Promise<CampaignReport> {
  const startedAt = performance.now();
  await using stack = new AsyncDisposableStack();
  const folder = ledgers ?? await Deno.makeTempDir({ prefix: "faults-" });
  if (ledgers === undefined) stack.defer(() => Deno.remove(folder, { recursive: true }));
  else await Deno.mkdir(folder, { recursive: true });
  const mosquitto = embedded ? null : stack.use(await Mosquitto.start());
  const { url } = mosquitto ?? stack.use(await EmbeddedBroker.start({ port: 0, webSocketPort: 0 }));
  const brokerPort = Number(new URL(url).port);
  const versions = embedded ? [4, 4] as const : [5, 4] as const;
  const watcher = stack.use(await Watcher.start(url, "work/#", versions[0]));
  const halves: Half[] = [];
  for (const qos of [1, 2] as const) {
    const half: Half = { qos, tally: new LedgerTally(), slots: [] };
    halves.push(half);
    // Consumers first: whoever is not subscribed yet would miss what is sent.
    for (const setting of campaignSlots(qos, scale, versions)) {
      const slot = await Slot.start(setting, {
        brokerPort,
        folder,
        tally: half.tally,
      });
      half.slots.push(stack.use(slot));
      if (setting.program === "consumer") await opened(slot);
    }
  }
  const slots = halves.flatMap((half) => half.slots);
  const restarts = await injectFaults(planFaults(seed, scale), mosquitto, slots, () => {
    tell?.(progressOf(halves, performance.now() - startedAt));
  });

  await poll(
    DRAIN_BOUND_MS,
    slots,
    () => halves.reduce((sum, { tally }) => sum + tally.sent, 0) >= scale.messages,
  );
  await Promise.all(
    slots.filter(({ setting }) => setting.program === "producer").map((slot) => slot.end()),
  );
  tell?.("No more is sent, no more is broken: what is left is settled.");
  await poll(DRAIN_BOUND_MS, slots, async () => {
    const open = halves.flatMap(({ tally }) => tally.open);
    if (open.length === 0) return true;
    // Who was killed behind the acknowledgement of a dead letter's copy could not write it down.
    const buried = open.length > FEW ? new Set() : await retainedIds(url, DEAD_LETTERS);
    return open.every((id) => buried.has(id));
  });
  await silent(slots);
  const consumers = slots.filter(({ setting }) => setting.program === "consumer");
  await Promise.all(consumers.map((slot) => slot.end()));

  const deadLetters = await retainedIds(url, DEAD_LETTERS);
  const parts: QosReport[] = [];
  for (const half of halves) {
    parts.push(await reportOf(half, { restarts, deadLetters, watcher, brokerUrl: url }));
  }
  if (ledgers !== undefined) await writeOutages(`${ledgers}/outages.json`, slots);
  return { seed, tookMs: performance.now() - startedAt, parts };
}

/** Waits until a slot's process has its queue open. */
async function opened(slot: Slot): Promise<void> {
  for (const late = Date.now() + DRAIN_BOUND_MS; Date.now() < late;) {
    if (slot.read().some(({ kind }) => kind === "opened")) return;
    await delay(20);
  }
  throw new Error(`Cannot run the campaign: ${slot.setting.name} does not open its queue`);
}

/** Reads the ledgers until they say so, or the bound has passed. */
async function poll(
  boundMs: number,
  slots: readonly Slot[],
  done: () => boolean | Promise<boolean>,
): Promise<void> {
  for (const late = Date.now() + boundMs; Date.now() < late;) {
    for (const slot of slots) slot.read();
    if (await done()) return;
    await delay(POLL_MS);
  }
}

/** Waits until nobody is handed anything any more. */
async function silent(slots: readonly Slot[]): Promise<void> {
  let heardAt = Date.now();
  for (const late = heardAt + DRAIN_BOUND_MS; Date.now() < late;) {
    const heard = slots.some((slot) => slot.read().some(({ kind }) => kind === "received"));
    if (heard) heardAt = Date.now();
    if (Date.now() - heardAt > SILENT_MS) return;
    await delay(POLL_MS);
  }
}

async function reportOf(
  { qos, tally, slots }: Half,
  seen: { restarts: number; deadLetters: Set<string>; watcher: Watcher; brokerUrl: string },
): Promise<QosReport> {
  const { restarts, deadLetters, watcher, brokerUrl } = seen;
  const sum = (count: (slot: Slot) => number) => slots.reduce((all, slot) => all + count(slot), 0);
  const compared = tally.compare(watcher.taken, deadLetters);
  let left = 0;
  for (const { setting: { name, program, part } } of slots) {
    if (program === "consumer") left += await leftFor(brokerUrl, name, part.protocolVersion);
  }
  return {
    ...compared,
    qos,
    kills: sum((slot) => slot.kills),
    killsAtPoint: sum((slot) => slot.killsAtPoint),
    stops: sum((slot) => slot.stops),
    networkFaults: sum((slot) => slot.networkFaults),
    restarts,
    stuck: [...compared.stuck, ...slots.flatMap(({ stuck }) => stuck)],
    deaths: slots.flatMap(({ deaths }) => deaths),
    left,
    recoveries: slots.flatMap((slot) => slot.recoveries()),
  };
}

/** What was broken for whom and when, to be laid beside the ledgers. */
async function writeOutages(path: string, slots: readonly Slot[]): Promise<void> {
  const outages = slots.map(({ setting: { name }, outages }) => [name, outages]);
  await Deno.writeTextFile(path, JSON.stringify(Object.fromEntries(outages), null, 1));
}

function progressOf(halves: readonly Half[], ms: number): string {
  const sum = (count: (half: Half) => number) => halves.reduce((all, half) => all + count(half), 0);
  const slots = (count: (slot: Slot) => number) =>
    sum((half) => half.slots.reduce((all, slot) => all + count(slot), 0));
  return [
    `${Math.round(ms / 1_000)} s:`,
    `${sum(({ tally }) => tally.sent)} sent, ${
      sum(({ tally }) => tally.open.length)
    } of these not settled,`,
    `${slots((slot) => slot.kills)} kills, ${slots((slot) => slot.networkFaults)} network faults`,
  ].join(" ");
}
