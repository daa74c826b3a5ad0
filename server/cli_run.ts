import type { CliOptions } from "./cli_options.ts";
import type { CliOutput } from "./cli_output.ts";
import type { CliQueue } from "./cli_queue.ts";

/** The exit codes of the shell. */
export const EXIT = { done: 0, failed: 1, usage: 2, nothing: 3, interrupted: 130 } as const;

/** A command under way. */
export interface CliRun {
  options: CliOptions;
  queue: CliQueue;
  output: CliOutput;
  /** Ctrl-C. */
  signal: AbortSignal;
}
