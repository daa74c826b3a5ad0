import type { LedgerLine } from "./ledger_line.ts";

/** From when to when something was broken, in milliseconds since 1970. */
export interface Outage {
  /** What was broken. */
  what: string;
  from: number;
  to: number;
}

/** How long a link took to come back once nothing was broken any more. */
export interface Recovery {
  /** Milliseconds from the end of the outage to `connected`. */
  ms: number;
  /** Milliseconds of these that lie behind the attempt that was announced before the outage ended. */
  beyondAttemptMs: number;
}

/** A link that is found broken so long after the outage was broken by it. */
const FOUND_LATE_MS = 500;

/**
 * How long each outage was felt after it had ended.
 *
 * @param lines the ledger of one process
 * @param outages what was broken for it; those that overlap count as one
 */
export function recoveries(lines: readonly LedgerLine[], outages: readonly Outage[]): Recovery[] {
  const states = lines.filter(({ kind }) => kind === "state");
  const merged = merge(outages);
  const found: Recovery[] = [];
  merged.forEach(({ to }, index) => {
    const next = merged[index + 1]?.from ?? Infinity;
    const up = states.findIndex(({ at, what }) => at >= to && at < next && what === "connected");
    if (up < 1) return; // Not felt, or broken again before it was over.
    const down = states[up - 1];
    if (down.what !== "reconnecting" || down.at > to + FOUND_LATE_MS) return;
    const ms = states[up].at - to;
    const attemptAt = Math.max(to, down.at + (down.retryInMs ?? 0));
    found.push({ ms, beyondAttemptMs: Math.max(0, states[up].at - attemptAt) });
  });
  return found;
}

function merge(outages: readonly Outage[]): Pick<Outage, "from" | "to">[] {
  const merged: Pick<Outage, "from" | "to">[] = [];
  for (const { from, to } of [...outages].sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  return merged;
}
