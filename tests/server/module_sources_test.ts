import assert from "node:assert/strict";
import { startDeno } from "../support/deno_process.ts";
import { TestServer } from "./test_server.ts";

Deno.test("/mod.ts and what it imports are served as TypeScript, to everybody", async () => {
  await using server = await TestServer.start();
  for (const path of ["/mod.ts", "/lib/mqtt_message_queue.ts", "/lib/deps.ts"]) {
    const response = await server.get(path);
    assert.equal(response.status, 200, path);
    assert.equal(
      response.headers.get("content-type"),
      "application/typescript; charset=utf-8",
    );
    assert.equal(response.headers.get("access-control-allow-origin"), "*");
    const file = new URL(`../..${path}`, import.meta.url);
    assert.equal(await response.text(), await Deno.readTextFile(file));
  }
});

Deno.test("nothing else of the disk is served", async () => {
  await using server = await TestServer.start();
  const paths = [
    "/lib/../deno.json",
    "/lib/%2e%2e/deno.json",
    "/lib/..%2fdeno.json",
    "/lib/%2e%2e%2fserver%2fmain.ts",
    "/lib/",
    "/lib/nothing.ts",
    "/lib//etc/passwd",
    "/server/main.ts",
    "/deno.json",
  ];
  for (const path of paths) assert.equal((await server.get(path)).status, 404, path);
});

Deno.test("any Deno imports the queue from the server by URL, and works with it", async () => {
  await using server = await TestServer.start();
  const http = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    server.server.app.fetch,
  );
  const origin = `http://127.0.0.1:${http.addr.port}`;
  const program = `
    import { MessageEnvelope, MqttMessageQueue } from "${origin}/mod.ts";
    await using queue = new MqttMessageQueue("remote", { url: "${server.broker.url}" });
    await queue.open();
    await queue.peek(null);
    await queue.send(null, new MessageEnvelope(null, "greeting", "by URL"));
    console.log((await queue.receive(null, 5000))?.getMessageAsString());
  `;
  await using child = startDeno(
    [
      "run",
      "--no-lock",
      "--no-config",
      "--reload=" + origin,
      `--allow-import=127.0.0.1:${http.addr.port}`,
      "--allow-net=127.0.0.1",
      "--allow-env",
      "-",
    ],
    { stdin: program },
  );
  const { code, stdout, stderr } = await child.result();
  await http.shutdown();
  assert.equal(stdout.trim(), "by URL", stderr);
  assert.equal(code, 0);
});
