import { parseArgs } from "node:util";
import type { Form } from "./cells.ts";

/** What the command line of the bench says. */
export interface BenchOptions {
  form: Form;
  /** Only cells whose title contains it; the note stays as it is. */
  only: string | null;
  /** Whether the tables go into the note. */
  writes: boolean;
  /** How often each contestant has its turn; `null` for what its cell wants. */
  rounds: number | null;
  /** Milliseconds for all of it. */
  limitMs: number;
}

/** How the bench is used. */
export const USAGE = `deno task bench [--quick] [--only TEXT] [--rounds N] [--dry] [--write]

  --quick      a look in under a minute: fewer messages, fewer cells; docs/performance.md stays as it is
  --only TEXT  only the cells whose title contains it; docs/performance.md stays as it is
  --rounds N   how often each contestant has its turn (3; 5 where a target is close)
  --dry        print, and leave docs/performance.md as it is
  --write      write docs/performance.md in the quick form too`;

const LIMITS_MS = { full: 570_000, quick: 55_000 };

/**
 * Reads the command line; `null` where help is asked for.
 *
 * @throws {TypeError} where an option is unknown or its value is none
 */
export function readBenchOptions(args: readonly string[]): BenchOptions | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      rounds: { type: "string" },
      dry: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return null;
  const form = values.quick ? "quick" : "full";
  const rounds = values.rounds === undefined ? null : Number(values.rounds);
  if (rounds !== null && (!Number.isInteger(rounds) || rounds < 1)) {
    throw new TypeError(
      `Cannot measure: --rounds must be a whole number, received ${values.rounds}`,
    );
  }
  const only = values.only ?? null;
  return {
    form,
    only,
    writes: only === null && !values.dry && (form === "full" || values.write),
    rounds,
    limitMs: LIMITS_MS[form],
  };
}
