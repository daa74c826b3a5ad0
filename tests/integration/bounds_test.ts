import assert from "node:assert/strict";
import { startDeno } from "../support/deno_process.ts";
import { Mosquitto } from "../support/mosquitto.ts";

const FLOOD = new URL("./programs/flood.ts", import.meta.url).pathname;
const MIB = 1024 * 1024;
const MESSAGES = 2_000;

for (const version of ["5", "4"]) {
  Deno.test(`${MESSAGES} messages of 1 MiB that wait leave the process under 300 MiB (${version})`, async () => {
    await using broker = await Mosquitto.start();
    const run = async (step: string) => {
      const args = [FLOOD, broker.url, version, `${MESSAGES}`, step];
      await using flood = startDeno(["run", "--quiet", "--allow-net", "--allow-env", ...args]);
      const { code, stdout, stderr } = await flood.result();
      assert.equal(code, 0, stderr);
      return stdout;
    };
    await run("fill");
    const figures = JSON.parse(await run("drain"));
    assert.equal(figures.received, MESSAGES);
    assert.equal(figures.distinct, MESSAGES);
    assert.deepEqual(figures.states, ["connecting", "connected"]);
    assert.ok(figures.heldBytes < 66 * MIB, `${figures.heldBytes} held`);
    assert.ok(figures.residentBytes < 300 * MIB, `${figures.residentBytes} resident`);
  });
}
