import assert from "node:assert/strict";
import { formatReport, isFlawless } from "./campaign_report.ts";
import { runCampaign } from "./campaign_run.ts";
import { planFaults } from "./plan.ts";

/** `deno task faults` does more. */
const SMALL = {
  messages: 4_000,
  durationMs: 20_000,
  kills: 10,
  stops: 2,
  restarts: 3,
  networkFaults: 12,
};

Deno.test("a small campaign loses nothing, hands nothing out twice and leaves nobody stuck", async () => {
  const seed = crypto.getRandomValues(new Uint32Array(1))[0] % 1_000_000;
  const report = await runCampaign(seed, SMALL);
  const table = formatReport(report);
  assert.ok(isFlawless(report), table);
  const sum = (count: (part: typeof report.parts[number]) => number) =>
    report.parts.reduce((all, part) => all + count(part), 0);
  assert.equal(sum(({ kills }) => kills), SMALL.kills, table);
  assert.equal(sum(({ stops }) => stops), SMALL.stops, table);
  assert.equal(sum(({ networkFaults }) => networkFaults), SMALL.networkFaults, table);
  assert.equal(report.parts[0].restarts, SMALL.restarts, table);
  assert.ok(sum(({ sent }) => sent) >= SMALL.messages, table);
});

Deno.test("the same seed plans the same faults, another one others", () => {
  assert.deepEqual(planFaults(1, SMALL), planFaults(1, SMALL));
  assert.notDeepEqual(planFaults(1, SMALL), planFaults(2, SMALL));
  assert.equal(planFaults(1, SMALL).length, 10 + 2 + 3 + 12);
});
