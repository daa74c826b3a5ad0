import { type CellResult, valuesOf } from "./run_cell.ts";
import { ratioOf, type Spread, spreadOf } from "./statistics.ts";
import type { Verdict } from "./targets.ts";

const NOTHING = "–";
/** What is smaller would be shown as nothing. */
const SMALL_RATIO = 0.1;

/**
 * A table in Markdown as `deno fmt` writes it.
 *
 * @param rows the titles first; the first column is text, the others stand to the right
 */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) =>
    Math.max(3, ...rows.map((row) => [...row[column]].length))
  );
  const pad = (text: string, column: number) => {
    const fill = " ".repeat(widths[column] - [...text].length);
    return column === 0 ? text + fill : fill + text;
  };
  const line = (row: readonly string[]) => `| ${row.map(pad).join(" | ")} |`;
  const rule = widths.map((width, column) =>
    column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`
  );
  const [titles, ...rest] = rows;
  return [line(titles), `| ${rule.join(" | ")} |`, ...rest.map(line)].join("\n");
}

/** The tables of a cell, one for each subject: what it measured, and its ratio to each reference. */
export function cellTables(result: CellResult): string {
  const { cell } = result;
  const tables = cell.comparisons.map(({ subject, references }) => {
    const there = references.filter((name) => result.rounds.has(name));
    const rows = cell.measures.flatMap(({ key, title, referenceKey = key, digits = 0 }) => {
      const own = valuesOf(result, subject, key);
      const spread = spreadOrNull(own);
      if (spread === null) return [];
      const compared = there.map((name) => {
        const theirs = valuesOf(result, name, referenceKey);
        const ratio = ratioOf(own, theirs);
        if (ratio === null) return NOTHING;
        const ratioDigits = ratio.median < SMALL_RATIO ? 4 : 2;
        return `**${withSpread(ratio, ratioDigits, "x")}** of ${
          withSpread(spreadOf(theirs.filter(isThere)), digits)
        }`;
      });
      return [[title, withSpread(spread, digits), ...compared]];
    });
    return rows.length === 0 ? "" : markdownTable([["", subject, ...there], ...rows]);
  });
  const written = tables.filter((table) => table !== "");
  return written.length === 0 ? "" : [`### ${cell.title}`, ...written].join("\n\n");
}

/** The table of the targets. */
export function targetTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ what, asked, measured, digits, unit, held }) => [
    what,
    asked,
    measured === null ? "not measured" : withSpread(measured, digits, unit),
    measured === null ? NOTHING : held ? "held" : "**missed**",
  ]);
  return markdownTable([["what", "target", "measured", ""], ...rows]);
}

/** `1,234 (1,200–1,300)`, or one number where there is no spread. */
export function withSpread({ median, min, max }: Spread, digits: number, unit = ""): string {
  const text = (value: number) =>
    value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const middle = `${text(median)}${unit}`;
  return min === max ? middle : `${middle} (${text(min)}–${text(max)})`;
}

/**
 * The text with what stands between the markers of that name replaced.
 *
 * @throws {Error} where the markers are not there
 */
export function replaceBetweenMarkers(text: string, name: string, body: string): string {
  const begin = `<!-- bench ${name}: begin -->`;
  const end = `<!-- bench ${name}: end -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`Cannot write the table: no markers for "${name}"`);
  return `${text.slice(0, from + begin.length)}\n\n${body}\n\n${text.slice(to)}`;
}

function spreadOrNull(values: readonly (number | null)[]): Spread | null {
  const there = values.filter(isThere);
  return there.length === 0 ? null : spreadOf(there);
}

function isThere(value: number | null): value is number {
  return value !== null;
}
