import assert from "node:assert/strict";
import { ChildProcess } from "../support/child_process.ts";
import { findExecutable } from "../support/tools.ts";

const PROGRAM = new URL("./programs/isolated.ts", import.meta.url).pathname;
/** How long the device is down each time: shorter than the keepalive, and longer than all its patience. */
const OUTAGES_MS = [100, 700, 2_500, 300, 4_000];

/** Runs a command in a network namespace of its own, which has nothing but a loopback device that is down. */
function isolated(...command: string[]): ChildProcess {
  return ChildProcess.start("unshare", ["--net", ...command]);
}

/** Whether this system lets us make one. */
async function mayIsolate(): Promise<boolean> {
  if (Deno.build.os !== "linux") return false;
  for (const program of ["unshare", "ip"]) {
    if (await findExecutable(program, ["/usr/bin", "/bin", "/sbin"]) === null) return false;
  }
  await using attempt = isolated("ip", "link", "set", "lo", "up");
  return (await attempt.result()).code === 0;
}

Deno.test({
  name: "a network device that goes down and up loses, repeats and disorders nothing",
  ignore: !await mayIsolate(), // Only where a network namespace may be made.
  fn: async () => {
    const run = ["run", "--quiet", "--allow-all", PROGRAM, ...OUTAGES_MS.map(String)];
    await using program = isolated(Deno.execPath(), ...run);
    const { code, stdout, stderr } = await program.result();
    assert.equal(code, 0, stderr);
    for (const { qos, sent, received, wrong, reconnects } of JSON.parse(stdout)) {
      assert.ok(sent > 1_000, `${sent} sent at QoS ${qos}`);
      assert.deepEqual([received, wrong], [sent, []]);
      assert.ok(reconnects >= 1, `${reconnects} reconnects at QoS ${qos}`);
    }
  },
});
