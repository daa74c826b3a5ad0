import { pseudoRandom } from "../lib/pseudo_random.ts";

/** How a network is broken. */
export type NetworkFault =
  | "cut"
  | "refuse"
  | "half open up"
  | "half open down"
  | "silent drop"
  | "delay"
  | "dribble"
  | "reset";

/** How a process is broken: killed at any moment, at a certain point, or stopped for a while. */
export type ProcessFault = "kill" | "kill at first point" | "kill at second point" | "stop";

/** A fault, when it comes, and whom it hits. */
export interface PlannedFault {
  /** Milliseconds after the start. */
  atMs: number;
  kind: "process" | "network" | "broker";
  what: ProcessFault | NetworkFault | "restart";
  /** Picks whom it hits. */
  victim: number;
  /** Milliseconds that it lasts. */
  lastsMs: number;
}

/** How much a campaign does. */
export interface Scale {
  messages: number;
  durationMs: number;
  kills: number;
  stops: number;
  restarts: number;
  networkFaults: number;
}

const NETWORK_FAULTS: readonly NetworkFault[] = [
  ...["cut", "refuse", "half open up", "half open down"] as const,
  ...["silent drop", "delay", "dribble", "reset"] as const,
];
const KILLS: readonly ProcessFault[] = ["kill", "kill at first point", "kill at second point"];
/** Longer than the programs' keepalive of 2 s and the half more that a broker waits. */
const STOP_MS = 4_000;
const BROKER_AWAY_MS = 1_500;
const NETWORK_MS = 5_000;

/** All faults of a campaign in the order of their time: spread evenly, each moment at random. The same for the same seed. */
export function planFaults(seed: number, scale: Scale): PlannedFault[] {
  const random = pseudoRandom(seed);
  const faults: PlannedFault[] = [];
  const spread = (
    count: number,
    make: (index: number) => Pick<PlannedFault, "kind" | "what" | "lastsMs">,
  ) => {
    const step = scale.durationMs / count;
    for (let index = 0; index < count; index++) {
      const atMs = Math.floor(index * step) + random(Math.max(1, Math.floor(step)));
      faults.push({ atMs, victim: random(1_000_000), ...make(index) });
    }
  };
  spread(
    scale.kills,
    (index) => ({ kind: "process", what: KILLS[index % KILLS.length], lastsMs: 0 }),
  );
  spread(scale.stops, () => ({ kind: "process", what: "stop", lastsMs: STOP_MS + random(1_500) }));
  spread(
    scale.restarts,
    () => ({ kind: "broker", what: "restart", lastsMs: random(BROKER_AWAY_MS) }),
  );
  spread(scale.networkFaults, (index) => ({
    kind: "network",
    what: NETWORK_FAULTS[index % NETWORK_FAULTS.length],
    lastsMs: 100 + random(NETWORK_MS),
  }));
  return faults.sort((a, b) => a.atMs - b.atMs);
}
