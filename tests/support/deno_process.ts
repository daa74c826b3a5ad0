import { ChildProcess, type ChildProcessOptions } from "./child_process.ts";

/**
 * Starts this very Deno binary with the given arguments. Never `npx`, which does not pass signals on.
 *
 * @param args What follows `deno` on a command line, such as `["run", "-A", "server/main.ts"]`
 */
export function startDeno(args: readonly string[], options: ChildProcessOptions = {}) {
  return ChildProcess.start(Deno.execPath(), args, {
    ...options,
    env: { NO_COLOR: "1", ...options.env },
  });
}
