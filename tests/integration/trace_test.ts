import assert from "node:assert/strict";
import { startDeno } from "../support/deno_process.ts";
import { Mosquitto } from "../support/mosquitto.ts";

const TRACE = new URL("./programs/trace.ts", import.meta.url).pathname;

for (const version of ["5", "4"]) {
  Deno.test(`trace context travels with a message and ties its spans together (${version})`, async () => {
    await using broker = await Mosquitto.start();
    const args = ["run", "--quiet", "--allow-net", "--allow-env", TRACE, broker.url, version];
    await using traced = startDeno(args, {
      env: { OTEL_DENO: "true", OTEL_EXPORTER_OTLP_PROTOCOL: "console" },
    });
    const { code, stdout, stderr } = await traced.result();
    assert.equal(code, 0, stderr);
    const output = stdout + stderr;
    const trace = /traceparent 00-([0-9a-f]{32})-([0-9a-f]{16})-01/.exec(output);
    assert.ok(trace !== null, output);
    const [, traceId, spanId] = trace;
    assert.match(output, new RegExp(`send traced .*${traceId}/${spanId}.*Producer`));
    assert.match(output, new RegExp(`receive traced[^]*links[^]*${traceId}/${spanId}`));
    assert.match(output, /process traced .*Consumer/);
    assert.match(output, /messaging\.system.*mqtt/);
  });
}
