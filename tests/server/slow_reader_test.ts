import assert from "node:assert/strict";
import { startDeno } from "../support/deno_process.ts";
import { Mosquitto } from "../support/mosquitto.ts";
import { connectRaw, type RawClient } from "../support/raw_client.ts";
import { countListeners, FeedReader, openUnread } from "./feed_reader.ts";
import { TestServer } from "./test_server.ts";

const PROGRAM = new URL("programs/weighed_server.ts", import.meta.url).pathname;
const UNREAD = 60;
/** Each wave is a frame of 700 KiB for each page, if not two. */
const WAVES = 40;
const WAVE_MESSAGES = 40;
/** The server itself is 70 to 170 here; with frames kept for each of them it was 3200. */
const MAX_MIB = 500;
const WEIGHINGS = 20;
const MESSAGES = 10_000;
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
  await using sender = await connectRaw(broker.url);
  await publish(sender, MESSAGES, "the last");
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
  ignore: Deno.build.os === "windows", // It has not the signal by which the program is asked.
  fn: async () => {
    await using broker = await Mosquitto.start();
    const run = ["run", "--v8-flags=--expose-gc", "--allow-env", "--allow-net", "--allow-read"];
    await using server = startDeno([...run, PROGRAM, "--port", "0", "--broker", broker.url]);
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
    await using sender = await connectRaw(broker.url);
    for (let wave = 0; wave < WAVES; wave++) {
      const seen = feed.until(`end of wave ${wave}`);
      await publish(sender, WAVE_MESSAGES, `end of wave ${wave}`);
      await seen;
    }
    // What is under way is let go of soon; what is kept stays for as long as the page may be silent.
    let held = Infinity;
    for (let weighing = 1; weighing <= WEIGHINGS && held >= MAX_MIB; weighing++) {
      server.signal("SIGUSR2");
      const said = await server.stdout.waitFor(`weighing ${weighing}: `);
      held = Number(said.split(" ").at(-1)) / 1024 ** 2;
    }
    assert.equal(await countListeners(url), UNREAD + 1);
    assert.ok(held < MAX_MIB, `${held.toFixed()} MiB`);
    for (const connection of unread) connection.close();
    await feed.cancel();
  },
});

/** As HTML four times as long. */
async function publish({ client }: RawClient, count: number, last: string): Promise<void> {
  const payload = "<".repeat(4096);
  for (let i = 0; i < count; i++) {
    const sent = client.publishAsync("mytopic", payload, { qos: 1 });
    if (i % 100 === 99) await sent;
  }
  await client.publishAsync("mytopic", last, { qos: 1 });
}
