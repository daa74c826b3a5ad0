import { setTimeout as delay } from "node:timers/promises";
import type { Mosquitto } from "../support/mosquitto.ts";
import type { PlannedFault } from "./plan.ts";
import type { Slot } from "./slot.ts";

const TELL_MS = 30_000;

/** Carries the plan out; resolves, with the number of restarts, when nothing is broken any more. */
export async function injectFaults(
  plan: readonly PlannedFault[],
  broker: Mosquitto | null,
  slots: readonly Slot[],
  tell: () => void,
): Promise<number> {
  const startedAt = performance.now();
  const killable = slots.filter(({ setting }) => setting.killable);
  let restarts = 0;
  let brokerWork = Promise.resolve();
  let toldAt = startedAt;
  const restart = async (lastsMs: number) => {
    const outage = { what: "broker restart", from: Date.now(), to: Infinity };
    for (const { outages } of slots) outages.push(outage);
    await broker!.stop();
    await delay(lastsMs);
    await broker!.restart();
    outage.to = Date.now();
    restarts++;
  };
  for (const { atMs, kind, what, victim, lastsMs } of plan) {
    const wait = startedAt + atMs - performance.now();
    if (wait > 0) await delay(wait);
    if (kind === "broker") brokerWork = brokerWork.then(() => restart(lastsMs));
    else if (kind === "network") slots[victim % slots.length].disturb(what as never, lastsMs);
    else killable[victim % killable.length].harm(what as never, lastsMs);
    for (const slot of slots) slot.read();
    if (performance.now() - toldAt > TELL_MS) {
      toldAt = performance.now();
      tell();
    }
  }
  await Promise.all([brokerWork, ...slots.map((slot) => slot.settled())]);
  return restarts;
}
