import assert from "node:assert/strict";
import { startDeno } from "../support/deno_process.ts";
import { Mosquitto } from "../support/mosquitto.ts";
import { connectRaw } from "../support/raw_client.ts";
import { countListeners, FeedReader, openUnread } from "./feed_reader.ts";
import { TestServer } from "./test_server.ts";

const ROOT = new URL("../../", import.meta.url);
const MESSAGES = 10_000;
const UNREAD = 60;
/** The server itself and what is not collected yet is 340 here; with frames kept for each of them it was 560. */
const MAX_MIB = 500;
const STALL_MS = 300;
const WAIT_MS = 20_000;

Deno.test("who reads nothing of the feed is let go of, and takes nothing from the others", async () => {
  await using broker = await Mosquitto.start();
  await using server = await TestServer.start({}, { broker, limits: { stallMs: STALL_MS } });
  const http = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    server.server.app.fetch,
  );
  const url = `http://127.0.0.1:${http.addr.port}/`;
  const feed = await FeedReader.open(url);
  await feed.until(">connected<");
  const unread = await Promise.all(Array.from({ length: 3 }, () => openUnread(url)));
  assert.equal(await countListeners(url), 4);
  const seen = feed.until("the last");
  await publish(broker.url);
  await seen;
  const late = Date.now() + WAIT_MS;
  while (await countListeners(url) > 1) assert.ok(Date.now() < late, "still listened for");
  await server.submit({ line: "send still here" });
  await feed.until("still here");
  for (const connection of unread) connection.close();
  await feed.cancel();
  await http.shutdown();
});

Deno.test({
  name: "nothing is kept for who reads nothing of the feed",
  ignore: Deno.build.os !== "linux", // Only there a process tells how much memory another has.
  fn: async () => {
    await using broker = await Mosquitto.start();
    const run = ["run", "--allow-env", "--allow-net", "--allow-read=mod.ts,lib", "server/main.ts"];
    await using server = startDeno([...run, "--port", "0", "--broker", broker.url], {
      cwd: ROOT.pathname,
    });
    const url = /http:\S+/.exec(await server.stdout.waitFor(/open http:/))?.[0] ?? "";
    const feed = await FeedReader.open(url);
    await feed.until(">connected<");
    // What the queue holds is not what is measured.
    const listening = await fetch(`${url}command`, {
      method: "POST",
      body: new URLSearchParams({ line: "listen on" }),
    });
    await listening.body?.cancel();
    const unread = await Promise.all(Array.from({ length: UNREAD }, () => openUnread(url)));
    const seen = feed.until("the last");
    await publish(broker.url);
    await seen;
    const status = await Deno.readTextFile(`/proc/${server.pid}/status`);
    const resident = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024;
    assert.ok(resident < MAX_MIB, `${resident.toFixed()} MiB`);
    for (const connection of unread) connection.close();
    await feed.cancel();
  },
});

async function publish(url: string): Promise<void> {
  await using sender = await connectRaw(url);
  const payload = "<".repeat(4096); // As HTML four times as long: 600 KiB a frame.
  for (let i = 0; i < MESSAGES; i++) {
    const sent = sender.client.publishAsync("mytopic", payload, { qos: 1 });
    if (i % 100 === 99) await sent;
  }
  await sender.client.publishAsync("mytopic", "the last", { qos: 1 });
}
