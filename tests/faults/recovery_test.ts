import assert from "node:assert/strict";
import type { LedgerLine } from "./ledger_line.ts";
import { recoveries } from "./recovery.ts";

function states(...changes: [at: number, what: string, retryInMs?: number][]): LedgerLine[] {
  return changes.map(([at, what, retryInMs]) => ({ kind: "state", at, what, retryInMs }));
}

Deno.test("a recovery is measured from the end of the outage, and from the attempt that was announced", () => {
  const lines = states([0, "connecting"], [1, "connected"], [100, "reconnecting", 300], [
    450,
    "connected",
  ]);
  assert.deepEqual(recoveries(lines, [{ what: "cut", from: 100, to: 200 }]), [{
    ms: 250,
    beyondAttemptMs: 50,
  }]);
});

Deno.test("outages that overlap are one", () => {
  const lines = states([1, "connected"], [100, "reconnecting", 10], [450, "connected"]);
  const outages = [{ what: "cut", from: 150, to: 400 }, { what: "cut", from: 90, to: 200 }];
  assert.deepEqual(recoveries(lines, outages), [{ ms: 50, beyondAttemptMs: 50 }]);
});

Deno.test("an outage that was not felt, or that another one followed, is not measured", () => {
  const lines = states([1, "connected"], [300, "reconnecting", 10], [450, "connected"]);
  assert.deepEqual(
    recoveries(lines, [{ what: "cut", from: 100, to: 200 }, { what: "cut", from: 250, to: 300 }]),
    [
      { ms: 150, beyondAttemptMs: 140 },
    ],
  );
});
