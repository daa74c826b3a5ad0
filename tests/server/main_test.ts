import assert from "node:assert/strict";
import { redactUrl } from "../../server/app.ts";
import { type ChildProcess } from "../support/child_process.ts";
import { startDeno } from "../support/deno_process.ts";
import { freePort } from "../support/free_port.ts";
import { Mosquitto } from "../support/mosquitto.ts";
import { FeedReader, openUnread } from "./feed_reader.ts";

const ROOT = new URL("../../", import.meta.url);
const RUN = ["run", "--allow-env", "--allow-net", "--allow-read=mod.ts,lib", "server/main.ts"];

function startServer(args: string[], env: Record<string, string> = {}): ChildProcess {
  return startDeno([...RUN, ...args], { cwd: ROOT.pathname, env });
}

async function addressOf(server: ChildProcess): Promise<string> {
  const line = await server.stdout.waitFor(/open http:/);
  return /http:\S+/.exec(line)?.[0] ?? "";
}

Deno.test("main starts an embedded broker where none is given, says so, and stops when told", async () => {
  await using server = startServer(["--port", "0"]);
  await server.stdout.waitFor(
    /No broker given: started the embedded one at mqtt:\/\/127\.0\.0\.1:\d+/,
  );
  const url = await addressOf(server);
  const page = await fetch(url);
  assert.equal(page.status, 200);
  assert.match(await page.text(), /embedded broker/);
  const { code, stderr } = await server.stop();
  assert.equal(stderr, "");
  assert.equal(code, 0);
});

Deno.test("main stops while pages listen and somebody waits for a message", async () => {
  await using server = startServer(["--port", "0"]);
  const url = await addressOf(server);
  const feed = await FeedReader.open(url);
  await feed.until(">connected<");
  const waiting = fetch(`${url}command`, {
    method: "POST",
    body: new URLSearchParams({ line: "receive --timeout 60000" }),
    redirect: "manual",
  });
  await feed.until("receive --timeout 60000");
  const { code } = await server.stop();
  assert.equal(code, 0);
  const answer = await waiting;
  assert.equal(answer.status, 303);
  await answer.body?.cancel();
  await feed.end();
});

Deno.test("main stops though a client reads nothing of what it asked for", async () => {
  await using server = startServer(["--port", "0"]);
  const url = await addressOf(server);
  const feed = await FeedReader.open(url);
  await feed.until(">connected<");
  // What stands in the scrollback is more than the system keeps for one who does not read it.
  const message = "<".repeat(4096);
  for (let i = 0; i < 500; i++) {
    const sent = await fetch(`${url}api/send`, {
      method: "POST",
      body: JSON.stringify({ message }),
    });
    await sent.body?.cancel();
  }
  using _unread = await openUnread(url);
  await feed.cancel();
  const { code, stderr } = await server.stop();
  assert.equal(code, 0, stderr);
});

Deno.test("main takes its settings from the environment, and hides the broker's password", async () => {
  await using broker = await Mosquitto.start();
  await using server = startServer([], {
    MQTT_URL: `mqtt://user:secret@127.0.0.1:${broker.port}`,
    MQTT_TOPIC: "from/env",
    PORT: "0",
  });
  const url = await addressOf(server);
  const page = await (await fetch(url)).text();
  assert.match(page, /from\/env/);
  const { stdout } = await server.stop();
  assert.match(stdout, new RegExp(`Broker: mqtt://127.0.0.1:${broker.port}`));
  assert.ok(!`${stdout}${page}`.includes("secret"));
});

Deno.test("the broker's address is shown as it is, without user, password and query", () => {
  assert.equal(redactUrl("mqtt://bob:secret@broker:1884"), "mqtt://broker:1884");
  assert.equal(redactUrl("wss://bob@broker/mqtt/?token=secret#secret"), "wss://broker/mqtt/");
  assert.equal(redactUrl("ws://broker/?token=secret"), "ws://broker");
});

Deno.test("main prints the usage and exits with 2 where it was called wrongly", async () => {
  for (const args of [["--prot", "1"], ["--port", "x"], ["--broker", "ftp://x"]]) {
    await using server = startServer(args);
    const { code, stderr } = await server.result();
    assert.equal(code, 2);
    assert.match(stderr, /^Cannot [^\n]+\n\nUsage: deno task start/);
  }
});

Deno.test("main exits with 1 and one sentence where the port is taken", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  await using server = startServer(["--port", String(port), "--broker", "mqtt://127.0.0.1:1"]);
  const { code, stderr } = await server.result();
  assert.equal(code, 1);
  assert.equal(
    stderr.trim(),
    `Cannot listen on 127.0.0.1:${port}: the port is taken, choose another with --port`,
  );
});

Deno.test("main starts without the broker, says so, and finds it when it comes and comes back", async () => {
  const port = freePort();
  await using server = startServer(["--port", "0", "--broker", `mqtt://127.0.0.1:${port}`]);
  const url = await addressOf(server);
  const feed = await FeedReader.open(url);
  await feed.until("cannot connect, next try in");
  const before = await fetch(`${url}readyz`);
  assert.equal(before.status, 503);
  await before.body?.cancel();

  await using broker = await Mosquitto.start({ port });
  await feed.until(">connected<");
  await broker.stop();
  await feed.until(">link lost, ");
  await broker.restart();
  await feed.until(">connected<");
  const sent = await fetch(`${url}api/send`, { method: "POST", body: '{"message": "back"}' });
  assert.match(await sent.text(), /"messageId"/);
  await feed.cancel();
  assert.equal((await server.stop()).code, 0);
});
