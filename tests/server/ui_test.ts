import assert from "node:assert/strict";
import { mqtt } from "../deps.ts";
import { connectRaw } from "../support/raw_client.ts";
import { TestServer } from "./test_server.ts";

Deno.test("without JavaScript a form leads back to the page, with what came of it", async () => {
  await using server = await TestServer.start();
  const response = await server.submit({ line: "send --type note hello there" });
  assert.equal(response.status, 303);
  assert.equal(response.headers.get("location"), "/#line");
  const page = await server.page();
  assert.match(page, /Command: <\/span><bdi>send --type note hello there<\/bdi>/);
  assert.match(page, /sent 11 B/);
  await server.submit({ line: "count" });
  assert.match(await server.page(), /1 message ready/);
});

Deno.test("without JavaScript the form for a message sends it, and shows the command it stands for", async () => {
  await using server = await TestServer.start();
  await server.submit({ type: "my note", correlationId: "7", message: "two\r\nlines" });
  assert.match(
    await server.page(),
    /send --type &quot;my note&quot; --correlation-id 7 two⏎lines/,
  );
  const [message] = await (await server.get("/api/peek")).json();
  assert.equal(message.message, "two\nlines");
  assert.equal(message.messageType, "my note");
  assert.equal(message.correlationId, "7");
});

Deno.test("with htmx a form gets an empty answer: the result reaches every page through the feed", async () => {
  await using server = await TestServer.start();
  const response = await server.submit({ line: "help" }, { "hx-request": "true" });
  assert.equal(response.status, 204);
  assert.match(
    await server.page(),
    /<b>receive<\/b><\/button>&#32;<span class="unbroken">\[--lock\]<\/span>&#32;<span/,
  );
});

Deno.test("every command does what it says", async () => {
  await using server = await TestServer.start();
  const run = async (line: string) => {
    await server.submit({ line });
    return await server.page();
  };
  assert.match(await run("receive --timeout 5"), /nothing to receive: none came within 5 ms/);
  assert.match(await run("peek"), /nothing to peek at/);
  await run(`send {"id": 7}`);
  await run("send second");
  assert.match(await run("peek 5"), /peeked at 2 of 2 that are ready/);
  assert.match(await run("peek"), /class="unseen">peeked[^]*&quot;id&quot;: 7/);
  assert.match(await run("receive"), /class="unseen">received[^]*&quot;id&quot;: 7/);
  assert.match(await run("count"), /1 message ready/);
  assert.match(await run("status"), /MQTT 3\.1\.1/);
  assert.doesNotMatch(await run("clear"), /class="entry/);
});

Deno.test("a wrong command is answered with the one that was meant", async () => {
  await using server = await TestServer.start();
  const cases: [string, RegExp][] = [
    ["sned x", /no such command; did you mean send\?/],
    ["xyzzyxyz", /no such command; there are send, receive/],
    ["send", /a text is needed/],
    ["send --typ x y", /it has no option --typ; usage: send/],
    ["count now", /&quot;now&quot; is too much; usage: count/],
    ["peek many", /n: a whole number from 1 to 100/],
    ["peek 0", /n: a whole number from 1 to 100/],
    ["receive --timeout x", /--timeout: a whole number/],
  ];
  for (const [line, message] of cases) {
    await server.submit({ line });
    assert.match(await server.page(), message);
    await server.submit({ line: "clear" });
  }
});

Deno.test("nothing that others wrote becomes markup", async () => {
  await using server = await TestServer.start();
  const attack = `"><script>alert(1)</script><hx-partial hx-target="#status">x</hx-partial>'\u202e`;
  const client = await mqtt.connectAsync(server.broker.url);
  await client.publishAsync("mytopic", attack, { qos: 1 });
  const json = {
    message_id: attack,
    correlation_id: attack,
    message_type: attack,
    sent_time: attack,
    message: btoa("x"),
    user_properties: { [attack]: attack },
  };
  await client.publishAsync("mytopic", JSON.stringify(json), { qos: 1 });
  await client.endAsync();
  await server.submit({ line: `send --type "${attack}` });
  await server.submit({ line: `${attack} x` });
  await server.submit({ line: "peek 10" });
  const page = await server.page();
  assert.match(page, /&lt;script&gt;alert\(1\)/);
  assert.doesNotMatch(page, /<script>|<hx-partial|\u202e/);
});

Deno.test("the topic and the broker's address are untrusted too, and no password is shown", async () => {
  await using server = await TestServer.start({
    topic: `<b>"x"</b>`,
    username: "user",
    password: "secret",
  });
  const page = await server.page();
  assert.match(page, /<title>&lt;b&gt;/);
  assert.doesNotMatch(page, /<b>|secret/);
});

Deno.test("a large message is cut to its beginning, whatever its size", async () => {
  await using server = await TestServer.start();
  await server.post("/api/send", { message: "x".repeat(3_000_000) });
  await server.get("/api/peek");
  const page = await server.page();
  assert.match(page, /The first 4\.0 KiB of 2\.9 MiB\./);
  assert.ok(page.length < 60_000);
});

Deno.test("what the API does shows in the terminal", async () => {
  await using server = await TestServer.start();
  await server.post("/api/send", { message: "x" });
  await server.post("/api/receive", { timeout: 5000 });
  assert.match(await server.page(), /received through the API/);
});

Deno.test("the page is complete for keyboard and screen reader", async () => {
  await using server = await TestServer.start();
  const page = await server.page();
  assert.match(page, /<html lang="en">/);
  assert.match(page, /<a class="skip" href="#line">/);
  assert.match(page, /role="log"/);
  assert.match(page, /id="announcement" class="unseen" role="status"/);
  assert.match(page, /<label for="line">/);
});

Deno.test("/events streams the feed, and a look at its head takes no place in it", async () => {
  await using server = await TestServer.start();
  const head = await server.request("/events", { method: "HEAD" });
  assert.match(head.headers.get("content-type") ?? "", /^text\/event-stream/);
  assert.match(await (await server.get("/metrics")).text(), /^mqtt_queue_pages_listening 0$/m);

  const events = await server.get("/events");
  const reader = events.body!.pipeThrough(new TextDecoderStream()).getReader();
  assert.match((await reader.read()).value ?? "", /hx-target="#log"[^]*hx-target="#status"/);
  assert.match(await (await server.get("/metrics")).text(), /^mqtt_queue_pages_listening 1$/m);
  await reader.cancel();
});

Deno.test("the scrollback tells how the link fares, once for each change", async () => {
  await using server = await TestServer.start();
  const page = await server.page();
  assert.equal(page.match(/<bdi>connected<\/bdi>/g)?.length, 1);
});

Deno.test("a notice and what it is about are words apart, for the eye, for who copies and for who listens", async () => {
  await using server = await TestServer.start();
  await server.submit({ line: "send hello" });
  const text = (await server.page()).replace(/<[^>]*>/g, "").replaceAll("&#32;", " ");
  assert.match(text, /connected mqtt:/);
  assert.match(text, /sent 5 B [0-9a-f]{8}/);
});

Deno.test("where a filter takes in many topics, the list says on which each message came", async () => {
  await using server = await TestServer.start({ topic: "many/#" });
  await using other = await connectRaw(server.broker.url);
  await other.client.publishAsync("many/one", "x", { qos: 1 });
  await other.client.publishAsync("many/two", "x", { qos: 1 });
  let panel = "";
  while (!panel.includes("many/two")) {
    panel = await (await server.get("/panel?panel=messages&n=9&topic=many%2F%23")).text();
  }
  assert.match(panel, /<td class="type"><bdi>many\/one<\/bdi>/);
});

Deno.test("the wave says what it shows, once there is something", async () => {
  await using server = await TestServer.start();
  assert.match(await server.page(), /<span class="span"><\/span>/);
  for (let i = 0; i < 3; i++) await server.submit({ line: "send hello" });
  let page = "";
  while (!page.includes("in 3 min")) {
    await new Promise((resolve) => setTimeout(resolve, 50)); // It counts once a second.
    page = await server.page();
  }
  assert.match(page, /<span class="span">peak \d\/s in 3 min<\/span>/);
});
