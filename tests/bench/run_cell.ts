import { Mosquitto } from "../support/mosquitto.ts";
import type { Cell } from "./cells.ts";
import type { Arena, Figures } from "./contestants.ts";

/** What a cell's contestants measured, a value for each round; `null` where one failed. */
export interface CellResult {
  readonly cell: Cell;
  readonly rounds: ReadonlyMap<string, readonly (Figures | null)[]>;
  /** What failed, and what was left out. */
  readonly problems: readonly string[];
}

/** How a cell is run. */
export interface RunOptions {
  /** How often each contestant has its turn, where that is asked for. */
  rounds: number | null;
  /** `performance.now()` at which nothing more is begun. */
  deadline: number;
  /** Hears how it goes on. */
  tell?: (line: string) => void;
}

/** How often a contestant has its turn. */
const ROUNDS = 3;
/** Milliseconds that a program may run. */
const LIMIT_MS = 20_000;

/**
 * Runs the contestants of a cell in alternation, A B C A B C, on a broker of its own. Whoever fails is left out of that
 * round and named; no round is begun behind the deadline.
 */
export async function runCell(
  cell: Cell,
  surroundings: Pick<Arena, "node" | "lines" | "signal">,
  { rounds, deadline, tell }: RunOptions,
): Promise<CellResult> {
  const results = new Map<string, (Figures | null)[]>();
  const problems: string[] = [];
  await using broker = await Mosquitto.start();
  const usual = cell.rounds ?? ROUNDS;
  const most = usual < ROUNDS ? usual : Infinity; // More of these are not worth their time.
  for (let round = 0; round < Math.min(rounds ?? usual, most); round++) {
    for (const { name, measure } of cell.contestants) {
      const remainingMs = deadline - performance.now();
      if (remainingMs <= 0) {
        problems.push(`${cell.title}: the time was up in round ${round + 1}`);
        return { cell, rounds: results, problems };
      }
      tell?.(`${cell.title}, round ${round + 1}: ${name}`);
      const limitMs = Math.ceil(Math.min(cell.limitMs ?? LIMIT_MS, remainingMs));
      let figures: Figures | null = null;
      try {
        figures = await measure({ ...surroundings, broker, limitMs });
      } catch (error) {
        surroundings.signal.throwIfAborted();
        const isUp = performance.now() >= deadline;
        const reason = isUp ? "the time was up" : error instanceof Error ? error.message : error;
        problems.push(`${cell.title}, ${name}, round ${round + 1}: ${reason}`);
      }
      let own = results.get(name);
      if (own === undefined) results.set(name, own = []);
      own.push(figures);
    }
  }
  return { cell, rounds: results, problems };
}

/** The values of one figure, a value for each round. */
export function valuesOf(
  { rounds }: Pick<CellResult, "rounds">,
  contestant: string,
  figure: string,
): (number | null)[] {
  return (rounds.get(contestant) ?? []).map((figures) => figures?.[figure] ?? null);
}
