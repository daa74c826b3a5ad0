import assert from "node:assert/strict";
import { TestServer } from "./test_server.ts";

Deno.test("POST /api/send and /api/receive carry text, with its type and correlation id", async () => {
  await using server = await TestServer.start();
  const sent = await server.post("/api/send", { type: "note", correlationId: "c1", message: "hi" });
  assert.equal(sent.status, 200);
  const { messageId } = await sent.json();

  const received = await server.post("/api/receive", { timeout: 5000 });
  assert.equal(received.status, 200);
  const message = await received.json();
  assert.equal(message.messageId, messageId);
  assert.equal(message.messageType, "note");
  assert.equal(message.correlationId, "c1");
  assert.equal(message.message, "hi");
  assert.equal(message.encoding, "text");
  assert.equal(message.topic, "mytopic");
  assert.equal(message.deliveryCount, 1);
});

Deno.test("POST /api/send gives any JSON value back as that value", async () => {
  await using server = await TestServer.start();
  for (const value of [{ a: [1, null, "x"] }, 42, true, []]) {
    await server.post("/api/send", { message: value });
    const message = await (await server.post("/api/receive", { timeout: 5000 })).json();
    assert.deepEqual(message.message, value);
    assert.equal(message.encoding, "json");
  }
});

Deno.test("POST /api/send takes bytes in base64, as they come out", async () => {
  await using server = await TestServer.start();
  await server.post("/api/send", { message: "AP8=", encoding: "base64" });
  const { message, encoding } = await (await server.post("/api/receive", { timeout: 5000 })).json();
  assert.deepEqual([message, encoding], ["AP8=", "base64"]);
  for (
    const wrong of [{ message: "AP8=", encoding: "hex" }, { message: "?", encoding: "base64" }]
  ) {
    assert.equal((await server.post("/api/send", wrong)).status, 400);
  }
});

Deno.test("POST /api/receive answers 204 when nothing came", async () => {
  await using server = await TestServer.start();
  const response = await server.post("/api/receive", { timeout: 10 });
  assert.equal(response.status, 204);
  assert.equal(await response.text(), "");
});

Deno.test("GET /api/peek lists without removing, GET /api/count counts", async () => {
  await using server = await TestServer.start();
  assert.deepEqual(await (await server.get("/api/peek?max=5")).json(), []);
  for (const message of ["a", "b", "c"]) await server.post("/api/send", { message });
  const peeked = await (await server.get("/api/peek?max=2")).json();
  assert.deepEqual(peeked.map((each: { message: string }) => each.message), ["a", "b"]);
  assert.equal((await (await server.get("/api/peek")).json()).length, 1);
  assert.deepEqual(await (await server.get("/api/count")).json(), { count: 3 });
});

Deno.test("POST /api/complete settles a message that was received under a lock", async () => {
  await using server = await TestServer.start();
  await server.post("/api/send", { message: "x" });
  const { messageId, lockedUntil } =
    await (await server.post("/api/receive", { mode: "peekLock", timeout: 5000 })).json();
  assert.ok(Date.parse(lockedUntil) > Date.now());
  assert.equal((await (await server.get("/api/stats")).json()).locked, 1);
  assert.equal((await server.post("/api/complete", { messageId })).status, 204);
  const stats = await (await server.get("/api/stats")).json();
  assert.equal(stats.locked + stats.available, 0);
  assert.equal((await server.post("/api/complete", { messageId })).status, 404);
});

Deno.test("POST /api/lock locks a message wherever it stands", async () => {
  await using server = await TestServer.start();
  await server.post("/api/send", { message: "first" });
  const { messageId } = await (await server.post("/api/send", { message: "second" })).json();
  assert.equal((await server.post("/api/lock", { messageId })).status, 204);
  assert.equal((await server.post("/api/lock", { messageId })).status, 409);
  assert.equal((await (await server.get("/api/count")).json()).count, 1);
  assert.equal((await server.post("/api/abandon", { messageId })).status, 204);
  assert.equal((await (await server.get("/api/count")).json()).count, 2);
});

Deno.test("POST /api/renew lets the lock run anew", async () => {
  await using server = await TestServer.start();
  const { messageId } = await (await server.post("/api/send", { message: "x" })).json();
  await server.get("/api/peek");
  assert.equal((await server.post("/api/renew", { messageId })).status, 409);
  await server.post("/api/receive", { mode: "peekLock", timeout: 5000 });
  assert.equal((await server.post("/api/renew", { messageId })).status, 204);
  assert.equal((await server.post("/api/complete", { messageId })).status, 204);
  assert.equal((await server.post("/api/renew", { messageId })).status, 404);
});

Deno.test("POST /api/abandon puts a locked message back", async () => {
  await using server = await TestServer.start();
  await server.post("/api/send", { message: "x" });
  const { messageId } =
    await (await server.post("/api/receive", { mode: "peekLock", timeout: 5000 })).json();
  assert.equal((await server.post("/api/abandon", { messageId })).status, 204);
  const again = await (await server.post("/api/receive", { timeout: 5000 })).json();
  assert.equal(again.messageId, messageId);
  assert.equal(again.deliveryCount, 2);
});

Deno.test("POST /api/complete takes a message that still waits", async () => {
  await using server = await TestServer.start();
  const { messageId } = await (await server.post("/api/send", { message: "x" })).json();
  await server.get("/api/peek");
  assert.equal((await server.post("/api/complete", { messageId })).status, 204);
  assert.deepEqual(await (await server.get("/api/count")).json(), { count: 0 });
});

Deno.test("dead letters can be made, listed, redriven and purged", async () => {
  await using server = await TestServer.start();
  for (const message of ["a", "b"]) {
    await server.post("/api/send", { message });
    const { messageId } =
      await (await server.post("/api/receive", { mode: "peekLock", timeout: 5000 })).json();
    const made = await server.post("/api/dead-letter", { messageId, reason: "broken" });
    assert.equal(made.status, 204);
  }
  const letters = await (await server.get("/api/dead-letters")).json();
  assert.deepEqual(letters.map((each: { message: string }) => each.message), ["a", "b"]);
  assert.equal(letters[0].reason, "broken");
  assert.equal(letters[0].topic, "mytopic");

  const redriven = await server.post("/api/redrive", { messageId: letters[0].messageId });
  assert.deepEqual(await redriven.json(), { count: 1 });
  assert.equal((await (await server.post("/api/receive", { timeout: 5000 })).json()).message, "a");
  assert.deepEqual(await (await server.post("/api/purge")).json(), { count: 1 });
  assert.deepEqual(await (await server.get("/api/dead-letters")).json(), []);
});

Deno.test("?topic= chooses another queue, and the server's own stays untouched", async () => {
  await using server = await TestServer.start();
  await server.post("/api/send?topic=other", { message: "there" });
  assert.deepEqual(await (await server.get("/api/count?topic=other")).json(), { count: 1 });
  assert.deepEqual(await (await server.get("/api/count")).json(), { count: 0 });
  const received = await server.post("/api/receive?topic=other", { timeout: 5000 });
  assert.equal((await received.json()).message, "there");
});

Deno.test("?topic= opens sixteen other queues and no more", async () => {
  await using server = await TestServer.start();
  for (let i = 0; i < 16; i++) {
    assert.equal((await server.get(`/api/count?topic=t${i}`)).status, 200);
  }
  const response = await server.get("/api/count?topic=t16");
  assert.equal(response.status, 503);
  assert.match((await response.json()).detail, /16 other topics are in use/);
  assert.equal((await server.get("/api/count?topic=t3")).status, 200);
});

Deno.test("GET /api/stats tells the counters, the link and what the broker can do", async () => {
  await using server = await TestServer.start();
  await server.post("/api/send", { message: "x" });
  const stats = await (await server.get("/api/stats")).json();
  assert.equal(stats.topic, "mytopic");
  assert.equal(stats.sent, 1);
  assert.equal(stats.link.state, "connected");
  assert.equal(stats.capabilities.protocolVersion, 4);
});

Deno.test("errors are problem details that say what is wrong", async () => {
  await using server = await TestServer.start();
  const cases: [Promise<Response>, number, RegExp][] = [
    [server.post("/api/send", {}), 400, /"message" is needed/],
    [server.post("/api/send", { message: "x", type: 7 }), 400, /type: a string is needed/],
    [server.post("/api/send?topic=a/%2B", { message: "x" }), 400, /./],
    [server.request("/api/send", { method: "POST", body: "{" }), 400, /JSON/],
    [server.request("/api/send", { method: "POST", body: "[]" }), 400, /JSON object/],
    [
      server.post("/api/send", { message: "x", qos: 2 }),
      400,
      /encoding may be given, received "qos"/,
    ],
    [server.post("/api/receive", { timeout: -1 }), 400, /timeout: a whole number from 0 to 60000/],
    [server.post("/api/receive", { mode: "steal" }), 400, /mode/],
    [server.get("/api/peek?max=many"), 400, /max: a whole number from 1 to 1000/],
    [server.get("/api/peek?max=0"), 400, /max: a whole number from 1 to 1000/],
    [server.get("/api/dead-letters?max=0"), 400, /max: a whole number from 1 to 1000/],
    [server.post("/api/complete", {}), 400, /"messageId" is needed/],
    [server.post("/api/complete", { messageId: "unknown" }), 404, /No such message/],
    [server.get("/api/send"), 405, /POST/],
    [server.post("/api/count"), 405, /GET/],
    [server.get("/api/nothing"), 404, /Nothing is here/],
  ];
  for (const [answer, status, detail] of cases) {
    const response = await answer;
    const body = await response.json();
    assert.equal(response.status, status, body.detail);
    assert.equal(response.headers.get("content-type"), "application/problem+json");
    assert.equal(body.status, status);
    assert.match(body.detail, detail);
  }
});

Deno.test("a body that is too large is refused", async () => {
  await using server = await TestServer.start();
  const response = await server.request("/api/send", {
    method: "POST",
    headers: { "content-length": String(9 * 1024 * 1024) },
    body: "x".repeat(100),
  });
  assert.equal(response.status, 413);
});

Deno.test("/healthz, /readyz and /metrics tell how the server fares", async () => {
  await using server = await TestServer.start();
  assert.equal((await server.get("/healthz")).status, 200);
  assert.equal((await server.get("/readyz")).status, 200);
  await server.post("/api/send", { message: "x" });
  const metrics = await server.get("/metrics");
  assert.match(metrics.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  const text = await metrics.text();
  assert.match(text, /^mqtt_queue_connected\{queue="mytopic"\} 1$/m);
  assert.match(text, /^mqtt_queue_messages_sent_total\{queue="mytopic"\} 1$/m);
  assert.match(text, /^# TYPE mqtt_queue_messages_available gauge$/m);
});

Deno.test("/readyz and the API say so while the broker is away", async () => {
  await using server = await TestServer.start();
  await server.server.close();
  assert.equal((await server.get("/healthz")).status, 200);
  assert.equal((await server.get("/readyz")).status, 503);
  const response = await server.get("/api/count");
  assert.equal(response.status, 503);
  assert.equal(response.headers.get("retry-after"), "1");
});

Deno.test("so many requests at the same time are answered, and the next is asked to come later", async () => {
  await using server = await TestServer.start();
  const waiting = Array.from({ length: 256 }, () => server.post("/api/receive", { timeout: 200 }));
  const refused = await server.get("/api/count");
  assert.equal(refused.status, 503);
  for (const response of await Promise.all(waiting)) assert.equal(response.status, 204);
  assert.equal((await server.get("/api/count")).status, 200);
});

Deno.test("POST /api/receive takes nothing for a client that has gone", async () => {
  await using server = await TestServer.start();
  const gone = new AbortController();
  const waiting = server.request("/api/receive", {
    method: "POST",
    body: '{"timeout": 60000}',
    signal: gone.signal,
  });
  gone.abort();
  assert.equal((await waiting).status, 204);
  await server.post("/api/send", { message: "x" });
  assert.deepEqual(await (await server.get("/api/count")).json(), { count: 1 });
});
