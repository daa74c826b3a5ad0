/**
 * Measures the queue and its rivals in alternation, prints the ratios and writes them into docs/performance.md:
 * `deno task bench`. Everything it starts, brokers and programs, is a child process of its own with a bounded time.
 */

import { type BenchOptions, readBenchOptions, USAGE } from "./bench_options.ts";
import { cellsOf } from "./cells.ts";
import { LineFiles } from "./line_files.ts";
import { NodeCopy } from "./node_copy.ts";
import { type CellResult, runCell } from "./run_cell.ts";
import { cellTables, replaceBetweenMarkers, targetTable } from "./table.ts";
import { judge } from "./targets.ts";

const NOTE = new URL("../../docs/performance.md", import.meta.url);
const CLEAR_LINE = "\r\x1b[2K";

async function main(options: BenchOptions): Promise<boolean> {
  const startedAt = performance.now();
  const deadline = startedAt + options.limitMs;
  await using stack = new AsyncDisposableStack();
  const problems: string[] = [];
  let node: NodeCopy | null = null;
  try {
    tell("packages of the rivals in Node");
    node = stack.use(await NodeCopy.create());
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
  }
  const signal = stopSignal();
  const lines = stack.use(await LineFiles.create());
  const results: CellResult[] = [];
  for (const cell of cellsOf(options.form, node !== null)) {
    if (options.only !== null && !cell.title.includes(options.only)) continue;
    if (performance.now() >= deadline) {
      problems.push(`${cell.title}: left out, the time was up`);
      continue;
    }
    const result = await runCell(cell, { node, lines, signal }, { ...options, deadline, tell });
    tell("");
    const tables = cellTables(result);
    if (tables !== "") console.log(`${tables}\n`);
    problems.push(...result.problems);
    results.push(result);
  }

  const took = Math.round((performance.now() - startedAt) / 1000);
  const remarks = [surroundings(options, node, took), ...problems].join("\n");
  const targets = `${targetTable(judge(results))}\n\n\`\`\`text\n${remarks}\n\`\`\``;
  console.log(targets);
  if (options.writes) {
    const cells = results.map(cellTables).filter((tables) => tables !== "").join("\n\n");
    const before = await Deno.readTextFile(NOTE);
    const withTargets = replaceBetweenMarkers(before, "targets", targets);
    await Deno.writeTextFile(NOTE, replaceBetweenMarkers(withTargets, "cells", cells));
  }
  return problems.length === 0;
}

/** Aborted where somebody stops the bench: it ends what it started, and writes nothing. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(name, () => stop.abort(new Error("Cannot finish: it was stopped")));
  }
  return stop.signal;
}

/** Where and how it was measured: without it a number says nothing. */
function surroundings({ form }: BenchOptions, node: NodeCopy | null, took: number): string {
  const day = new Date().toISOString().slice(0, 10);
  return `Measured on ${day} in the ${form} form, ${took} s in all, with Deno ` +
    `${Deno.version.deno}${node === null ? "" : `, Node ${node.version}`} on ` +
    `${navigator.hardwareConcurrency} cores (${Deno.build.os}, ${Deno.build.arch}).`;
}

/** What is being done, on a terminal only. */
function tell(line: string): void {
  if (!Deno.stderr.isTerminal()) return;
  Deno.stderr.writeSync(new TextEncoder().encode(`${CLEAR_LINE}${line}`));
}

if (import.meta.main) {
  try {
    const options = readBenchOptions(Deno.args);
    if (options === null) console.log(USAGE);
    else if (!await main(options)) Deno.exitCode = 1;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    if (error instanceof TypeError) console.error(USAGE);
    Deno.exitCode = 1;
  }
  Deno.exit(); // The listeners for signals would keep it alive.
}
