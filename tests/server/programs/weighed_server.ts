/** The server as it is; at each SIGUSR2 it says how many bytes it holds once all garbage is collected. */

import { runServer } from "../../../server/main.ts";

const { gc } = globalThis as { gc?: () => void };
if (gc === undefined) throw new Error("Cannot weigh: start me with --v8-flags=--expose-gc");

let weighings = 0;

Deno.addSignalListener("SIGUSR2", () => {
  gc();
  const { heapUsed, external } = Deno.memoryUsage();
  console.log(`weighing ${++weighings}: ${heapUsed + external}`);
});

Deno.exit(await runServer(Deno.args));
