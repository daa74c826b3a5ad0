import assert from "node:assert/strict";
import { startDeno } from "../support/deno_process.ts";
import { Mosquitto } from "../support/mosquitto.ts";

const FLOOD = new URL("./programs/flood.ts", import.meta.url).pathname;
const MIB = 1024 * 1024;
const MESSAGES = 2_000;

async function run(broker: Mosquitto, version: string, step: "fill" | "drain"): Promise<string> {
  const args = [FLOOD, broker.url, version, `${MESSAGES}`, step];
  await using flood = startDeno(["run", "--quiet", "--allow-net", "--allow-env", ...args]);
  const { code, stdout, stderr } = await flood.result();
  assert.equal(code, 0, stderr);
  return stdout;
}

// Both versions side by side: most of the time nothing happens, for three keepalive periods.
Deno.test(`${MESSAGES} messages of 1 MiB that wait leave the process under 300 MiB, on 5 and 3.1.1`, async () => {
  await using five = await Mosquitto.start();
  await using four = await Mosquitto.start();
  await run(five, "5", "fill");
  await run(four, "4", "fill");
  const drained = await Promise.all([run(five, "5", "drain"), run(four, "4", "drain")]);
  for (const figures of drained.map((text) => JSON.parse(text))) {
    assert.equal(figures.received, MESSAGES);
    assert.equal(figures.distinct, MESSAGES);
    assert.deepEqual(figures.states, ["connecting", "connected"]);
    assert.ok(figures.heldBytes < 66 * MIB, `${figures.heldBytes} held`);
    assert.ok(figures.residentBytes < 300 * MIB, `${figures.residentBytes} resident`);
  }
});
