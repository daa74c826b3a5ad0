import process from "node:process";

/** The resident memory once what nobody needs is gone; the process runs with `--expose-gc`. */
export function residentBytes() {
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().rss;
}
