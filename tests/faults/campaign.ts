/**
 * The worst day of a queue: `deno task faults [--seed N] [--quick | --long] [--embedded] [--ledgers FOLDER]`. Prints one table, and ends
 * with 1 where a message was lost, a wait was stuck, or a process was handed a message twice.
 */

import { parseArgs } from "node:util";
import { runCampaign } from "./campaign_run.ts";
import { formatReport, isFlawless } from "./campaign_report.ts";
import type { Scale } from "./plan.ts";

const MINUTE = 60_000;
const SCALES: Record<"quick" | "usual" | "long", Scale> = {
  quick: {
    messages: 40_000,
    durationMs: 1.5 * MINUTE,
    kills: 40,
    stops: 6,
    restarts: 8,
    networkFaults: 40,
  },
  usual: {
    messages: 200_000,
    durationMs: 7 * MINUTE,
    kills: 210,
    stops: 30,
    restarts: 42,
    networkFaults: 216,
  },
  long: {
    messages: 1_600_000,
    durationMs: 57 * MINUTE,
    kills: 1_700,
    stops: 240,
    restarts: 330,
    networkFaults: 1_720,
  },
};

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: "string" },
      quick: { type: "boolean", default: false },
      long: { type: "boolean", default: false },
      embedded: { type: "boolean", default: false },
      ledgers: { type: "string" },
    },
  });
  const seed = Number(values.seed ?? crypto.getRandomValues(new Uint32Array(1))[0] % 1_000_000);
  const scale = { ...SCALES[values.quick ? "quick" : values.long ? "long" : "usual"] };
  if (values.embedded) scale.restarts = 0;
  console.log(
    `Seed ${seed}: ${scale.messages} messages in about ${scale.durationMs / MINUTE} minutes`,
  );
  const report = await runCampaign(seed, scale, {
    tell: (line) => console.log(line),
    ledgers: values.ledgers,
    embedded: values.embedded,
  });
  console.log(formatReport(report));
  return isFlawless(report) ? 0 : 1;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
