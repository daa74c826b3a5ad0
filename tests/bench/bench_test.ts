import assert from "node:assert/strict";
import { readBenchOptions } from "./bench_options.ts";
import { cellsOf, NAMES, TITLES } from "./cells.ts";
import { type Figures, pageFigures } from "./contestants.ts";
import { forNode } from "./node_copy.ts";
import type { CellResult } from "./run_cell.ts";
import { median, ratioOf, spreadOf } from "./statistics.ts";
import { cellTables, markdownTable, replaceBetweenMarkers, withSpread } from "./table.ts";
import { judge } from "./targets.ts";

/** A result with made-up figures, a list of rounds for each contestant. */
function resultOf(title: string, rounds: Record<string, (Figures | null)[]>): CellResult {
  const cell = cellsOf("full", true).find((cell) => cell.title === title)!;
  return { cell, rounds: new Map(Object.entries(rounds)), problems: [] };
}

Deno.test("the median is the middle value, or the mean of the two in the middle", () => {
  assert.equal(median([30, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.throws(() => median([]), RangeError);
});

Deno.test("a spread is the median with the smallest and the largest value", () => {
  assert.deepEqual(spreadOf([10, 9, 200]), { median: 10, min: 9, max: 200 });
});

Deno.test("a ratio is that of the medians, its spread that of the rounds", () => {
  assert.deepEqual(ratioOf([10, 20, 30], [10, 10, 20]), { median: 2, min: 1, max: 2 });
});

Deno.test("a round that one of the two lacks is in no ratio", () => {
  assert.deepEqual(ratioOf([10, null, 30], [10, 1, 10]), { median: 2, min: 1, max: 3 });
  assert.equal(ratioOf([null, 3], [3, null]), null);
  assert.equal(ratioOf([1], []), null);
});

Deno.test("a number is shown with its spread where it has one", () => {
  assert.equal(withSpread({ median: 1234, min: 1000, max: 2000 }, 0), "1,234 (1,000–2,000)");
  assert.equal(withSpread({ median: 1.005, min: 1.005, max: 1.005 }, 2, "x"), "1.01x");
});

Deno.test("a table stands in columns, as the formatter writes it", () => {
  assert.equal(
    markdownTable([["", "queue"], ["send, µs", "1"], ["x", "1,000,000"]]),
    [
      "|          |     queue |",
      "| -------- | --------: |",
      "| send, µs |         1 |",
      "| x        | 1,000,000 |",
    ].join("\n"),
  );
});

Deno.test("a cell's table has the ratio to each rival that was there", () => {
  const result = resultOf("QoS 2, 16 B", {
    [NAMES.ours5]: [{ both: 3000, "listen 1": 500 }, { both: 2000, "listen 1": 1000 }],
    [NAMES.raw5]: [{ both: 1000 }, { both: 1000 }],
    [NAMES.mosquitto]: [null, { both: 4000 }],
  });
  const lines = cellTables(result).split("\n");
  assert.equal(lines[0], "### QoS 2, 16 B");
  assert.match(lines[2], /queue, MQTT 5 \| +MQTT\.js, MQTT 5 \| +mosquitto_pub, mosquitto_sub \|$/);
  assert.match(lines[4], /2,500 \(2,000–3,000\) \| \*\*2\.50x \(2\.00–3\.00\)\*\* of 1,000 \|/);
  assert.match(lines[4], /\*\*0\.50x\*\* of 4,000 \|$/);
  assert.match(lines[5], /concurrency 1 .*\*\*0\.75x \(0\.50–1\.00\)\*\* of 1,000/);
  assert.equal(lines.length, 6);
});

Deno.test("a cell in which nothing was measured has no table", () => {
  assert.equal(cellTables(resultOf("QoS 2, 16 B", { [NAMES.ours5]: [null] })), "");
});

Deno.test("what stands between the markers is replaced, and nothing else", () => {
  const text = "a\n<!-- bench cells: begin -->\nold\n<!-- bench cells: end -->\nz\n";
  const once = replaceBetweenMarkers(text, "cells", "$& new");
  assert.equal(
    once,
    "a\n<!-- bench cells: begin -->\n\n$& new\n\n<!-- bench cells: end -->\nz\n",
  );
  assert.equal(replaceBetweenMarkers(once, "cells", "$& new"), once);
  assert.throws(() => replaceBetweenMarkers(text, "targets", ""), /no markers for "targets"/);
});

Deno.test("the note has the markers that the bench writes between", async () => {
  const note = await Deno.readTextFile(new URL("../../docs/performance.md", import.meta.url));
  for (const name of ["targets", "cells"]) replaceBetweenMarkers(note, name, "");
});

Deno.test("a target is held or missed by its median, or said not to be measured", () => {
  const verdicts = judge([
    resultOf(TITLES.headline, {
      [NAMES.ours5]: [{ both: 1500, "wait p50": 2 }],
      [NAMES.raw5]: [{ both: 1000, "wait p50": 1 }],
      [NAMES.pip]: [{ both: 750 }],
    }),
    resultOf(TITLES.flood, { [NAMES.ours5]: [{ peak: 231, lost: 0, lostLinks: 0 }] }),
  ]);
  const verdict = (what: RegExp) => {
    const found = verdicts.find((each) => what.test(each.what))!;
    return found.measured === null ? null : [found.asked, found.measured.median, found.held];
  };
  const raw = verdict(/MQTT 5 against MQTT.js without properties/);
  assert.deepEqual(raw, ["at least 1.0x, aim 1.3x", 1.5, true]);
  assert.deepEqual(verdict(/MQTT 5 against pip/), ["at least 3.0x", 2, false]);
  assert.deepEqual(verdict(/waiting receive/), ["at most 1.2x", 2, false]);
  assert.deepEqual(verdict(/resident memory/), ["at most 300 MiB", 231, true]);
  assert.deepEqual(verdict(/lost/), ["at most 0", 0, true]);
  assert.equal(verdict(/page/), null);
});

Deno.test("every comparison is of contestants that are there", () => {
  for (const form of ["full", "quick"] as const) {
    const cells = cellsOf(form, true);
    assert.equal(new Set(cells.map(({ title }) => title)).size, cells.length);
    for (const { title, contestants, comparisons } of cells) {
      const names = contestants.map(({ name }) => name);
      assert.equal(new Set(names).size, names.length, title);
      for (const { subject } of comparisons) assert.ok(names.includes(subject), title);
    }
  }
});

Deno.test("without Node its rivals are left out", () => {
  const names = cellsOf("full", false).flatMap(({ contestants }) => contestants)
    .map(({ name }) => name);
  assert.ok(names.includes(NAMES.raw5));
  assert.ok(!names.some((name) => / in Node|-node$/.test(name)));
});

Deno.test("--quick is the quick form; the note is written by the full one, or where that is asked for", () => {
  const full = readBenchOptions([])!;
  const quick = readBenchOptions(["--quick"])!;
  assert.deepEqual([full.form, full.writes, full.rounds], ["full", true, null]);
  assert.equal(readBenchOptions(["--rounds", "2"])!.rounds, 2);
  assert.ok(full.limitMs < 600_000 && quick.limitMs < 60_000);
  assert.deepEqual([quick.form, quick.writes], ["quick", false]);
  assert.equal(readBenchOptions(["--quick", "--write"])!.writes, true);
  assert.equal(readBenchOptions(["--only", "QoS 1"])!.writes, false);
  assert.equal(readBenchOptions(["--dry"])!.writes, false);
  assert.equal(readBenchOptions(["--help"]), null);
  assert.throws(() => readBenchOptions(["--fast"]), TypeError);
  assert.throws(() => readBenchOptions(["--rounds", "0"]), TypeError);
});

Deno.test("a program for Deno becomes one for Node with the same versions", () => {
  const dependencies: Record<string, string> = {};
  const text = 'export { default as a } from "npm:@b/a@1.2.3";\nimport "npm:c@0.1.0";';
  assert.equal(
    forNode(text, dependencies),
    'export { default as a } from "@b/a";\nimport "c";',
  );
  assert.deepEqual(dependencies, { "@b/a": "1.2.3", c: "0.1.0" });
});

Deno.test("the page's own bench is read by its titles, at the rate of the target", () => {
  const output = "messages/s  p95 ms  longest task ms\n 10  16  <50\n  1000   41   210\n";
  const figures = { "messages/s": 1000, "p95 ms": 41, "longest task ms": 210 };
  assert.deepEqual(pageFigures(output, 1000), figures);
  assert.equal(pageFigures(output, 10)["longest task ms"], 50);
  assert.throws(() => pageFigures(output, 20), /no line for 20/);
});
