import assert from "node:assert/strict";
import type { LedgerLine } from "./ledger_line.ts";
import { LedgerTally, type ProcessLedger } from "./tally.ts";

function write(process: ProcessLedger, ...lines: [LedgerLine["kind"], string][]): void {
  for (const [kind, id] of lines) process.add({ kind, id, at: 0 });
}

function setUp() {
  const tally = new LedgerTally();
  const producer = tally.addProcess("producer");
  const consumer = tally.addProcess("consumer");
  const compare = (taken: [string, number][] = [], dead: string[] = []) =>
    tally.compare(new Map(taken), new Set(dead));
  return { tally, producer, consumer, compare };
}

Deno.test("the tally finds what was sent and never settled", () => {
  const { tally, producer, consumer, compare } = setUp();
  write(producer, ["sending", "a"], ["sent", "a"], ["sending", "b"], ["sent", "b"]);
  write(consumer, ["received", "a"], ["settling", "a"], ["completed", "a"], ["received", "b"]);
  assert.deepEqual(tally.open, ["b"]);
  const { sent, settled, lost } = compare();
  assert.deepEqual({ sent, settled, lost }, { sent: 2, settled: 1, lost: ["b"] });
});

Deno.test("the tally asks nothing of a send that did not resolve", () => {
  const { producer, compare } = setUp();
  write(producer, ["sending", "a"], ["sending", "b"], ["failed", "b"]);
  const { sent, failed, lost } = compare();
  assert.deepEqual({ sent, failed, lost }, { sent: 0, failed: 1, lost: [] });
});

Deno.test("the tally believes a dead letter only when it is there", () => {
  const { producer, consumer, compare } = setUp();
  write(producer, ["sent", "a"], ["sent", "b"], ["sent", "c"]);
  write(consumer, ["received", "a"], ["buried", "a"], ["received", "b"], ["buried", "b"]);
  const { lost, settled } = compare([], ["a", "c"]);
  assert.deepEqual(lost, ["b (buried)"]);
  assert.equal(settled, 3);
});

Deno.test("the tally finds what one process was handed twice, and not what it gave back", () => {
  const { tally, consumer, compare } = setUp();
  write(consumer, ["received", "a"], ["received", "a"]);
  write(consumer, ["received", "b"], ["abandoned", "b"], ["received", "b"]);
  const successor = tally.addProcess("successor");
  write(successor, ["received", "b"]);
  const { repeatedWithin, repeatedAcross } = compare();
  assert.deepEqual(repeatedWithin, ["a (consumer, 2 times)"]);
  assert.equal(repeatedAcross, 1);
});

Deno.test("the tally excuses a second message with the same name that the broker had", () => {
  const { consumer, compare } = setUp();
  write(consumer, ["received", "a"], ["received", "a"], ["received", "b"], ["received", "b"]);
  const { repeatedWithin, takenTwice } = compare([["a", 2], ["b", 1]]);
  assert.deepEqual(repeatedWithin, ["b (consumer, 2 times)"]);
  assert.deepEqual(takenTwice, ["a"]);
});

Deno.test("the tally excuses a killed process for the settlement that it was about to write down", () => {
  const { producer, consumer, compare } = setUp();
  write(producer, ["sent", "a"], ["sent", "b"]);
  write(consumer, ["received", "a"], ["settling", "a"], ["received", "b"]);
  consumer.killed();
  assert.deepEqual(compare().lost, ["b"]);
});

Deno.test("the tally tells what was stuck and what nothing explains", () => {
  const { consumer, compare } = setUp();
  consumer.add({ kind: "stuck", at: 0, what: "close: 5 ms" });
  consumer.add({ kind: "error", at: 0, what: "LockLostError" });
  const { stuck, errors } = compare();
  assert.deepEqual(stuck, ["consumer: close: 5 ms"]);
  assert.deepEqual(errors, ["consumer: LockLostError"]);
});

Deno.test("the tally finds what was handed out behind a later message of the same producer", () => {
  const { consumer, compare } = setUp();
  write(consumer, ["received", "p/1"], ["received", "q/0"], ["received", "p/3"]);
  write(consumer, ["abandoned", "p/1"], ["received", "p/1"], ["received", "p/2"]);
  assert.deepEqual(compare().outOfOrder, ["p/2 behind 3 (consumer)"]);
});

Deno.test("the tally excuses the place of what a process before had settled already", () => {
  const { tally, consumer, compare } = setUp();
  const successor = tally.addProcess("successor");
  for (const kind of ["received", "settling", "completed"] as const) {
    consumer.add({ kind, id: "p/1", at: 1 });
  }
  consumer.add({ kind: "received", id: "p/2", at: 2 });
  for (const [at, id] of [[3, "p/3"], [4, "p/1"], [5, "p/2"]] as const) {
    successor.add({ kind: "received", id, at });
  }
  successor.add({ kind: "settling", id: "p/2", at: 6 });
  assert.deepEqual(compare().outOfOrder, ["p/2 behind 3 (successor)"]);
});
