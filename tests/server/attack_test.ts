import assert from "node:assert/strict";
import { GuessLimit } from "../../server/guess_limit.ts";
import { TestServer } from "./test_server.ts";

const SITES = ["cross-site", "same-site"];

Deno.test("another site's page neither runs a command, nor opens a queue, nor reads a message", async () => {
  await using server = await TestServer.start();
  await server.submit({ line: "send secret" });
  const [{ messageId }] = await (await server.get("/api/peek")).json();
  for (const site of SITES) {
    const foreign = { "sec-fetch-site": site };
    assert.equal((await server.submit({ line: "receive" }, foreign)).status, 403);
    const paths = [
      "/panel?panel=messages",
      `/part?panel=message&id=${messageId}&as=text`,
      "/export",
    ];
    for (const path of [...paths, "/events"]) {
      assert.equal((await server.get(path, foreign)).status, 403, path);
    }
    const page = await server.get("/?topic=opened/by/a/stranger", foreign);
    assert.equal(page.headers.get("location"), "/");
  }
  assert.doesNotMatch(await (await server.get("/metrics")).text(), /stranger/);
  assert.equal((await (await server.get("/api/count")).json()).count, 1);
});

Deno.test("a part of a message cannot become a page of ours", async () => {
  await using server = await TestServer.start();
  await server.post("/api/send", { message: "<script>alert(1)</script>" });
  const [{ messageId }] = await (await server.get("/api/peek")).json();
  for (const part of ["text", "file", "properties", "command", "hex", "base64"]) {
    const response = await server.get(`/part?panel=message&id=${messageId}&as=${part}`);
    assert.equal(response.status, 200);
    await response.body?.cancel();
    assert.doesNotMatch(response.headers.get("content-type") ?? "", /html|xml|svg/);
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
    assert.match(response.headers.get("content-security-policy") ?? "", /default-src 'none'/);
  }
  assert.equal((await server.get("/part?panel=message&id=none&as=text")).status, 400);
});

Deno.test("who guesses tokens is not heard for a while, right or wrong", async () => {
  await using server = await TestServer.start({ host: "0.0.0.0", token: "correct-horse" });
  const guess = async (word: string) => {
    const response = await server.get("/api/count", { authorization: `Bearer ${word}` });
    await response.body?.cancel();
    return response;
  };
  for (let i = 0; i < 10; i++) assert.equal((await guess(`guess-${i}`)).status, 401);
  const refused = await guess("correct-horse");
  assert.equal(refused.status, 429);
  assert.ok(Number(refused.headers.get("retry-after")) > 0);
});

Deno.test("a page that was left open since the token was another locks nobody out", async () => {
  await using server = await TestServer.start({ host: "0.0.0.0", token: "correct-horse" });
  const [name] = (await server.get("/?token=correct-horse")).headers.get("set-cookie")!.split("=");
  for (let i = 0; i < 30; i++) {
    assert.equal((await server.get("/events", { cookie: `${name}=of-yesterday` })).status, 401);
  }
  assert.equal((await server.get("/?token=correct-horse")).status, 200);
});

Deno.test("GuessLimit counts by address, an IPv6 network as one, and forgets after a minute", () => {
  const limit = new GuessLimit(2);
  for (let i = 0; i < 2; i++) limit.count(`2001:db8:1:2::${i}`, `guess ${i}`, 0);
  assert.equal(limit.wait("2001:db8:1:2::ffff", 1000), 59);
  assert.equal(limit.wait("2001:db8:1:3::1", 1000), 0);
  assert.equal(limit.wait("2001:db8:1:2::1", 60_000), 0);
});

Deno.test("a body that is too long or too slow is refused, and its place is free again", async () => {
  await using server = await TestServer.start({}, { limits: { bodyMs: 20 } });
  const post = (body: BodyInit) => server.request("/command", { method: "POST", body });
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(1024 * 1024)),
  });
  assert.equal((await post(endless)).status, 413);
  const slow = new ReadableStream<Uint8Array>({ start: () => {} });
  assert.equal((await post(slow)).status, 408);
  assert.equal((await server.submit({ line: "count" })).status, 303);
});

Deno.test("of 200 streams as many are served as may be, and the server answers all the while", async () => {
  await using server = await TestServer.start();
  const answers = await Promise.all(Array.from({ length: 200 }, () => server.get("/events")));
  const served = answers.filter(({ status }) => status === 200);
  assert.equal(served.length, 64);
  assert.ok(answers.every(({ status }) => status === 200 || status === 503));
  assert.equal((await server.get("/api/count")).status, 200);
  await Promise.all(answers.map(({ body }) => body?.cancel()));
  assert.match(await (await server.get("/metrics")).text(), /^mqtt_queue_pages_listening 0$/m);
});

Deno.test("a line of a mebibyte is answered with a short one", async () => {
  await using server = await TestServer.start();
  for (const line of ["x".repeat(1 << 20), `send --type "${"y".repeat(1 << 20)}`]) {
    assert.equal((await server.submit({ line })).status, 303);
  }
  assert.ok((await server.page()).length < 60_000);
});

Deno.test("our own style and scripts stay under 20 KB, gzipped together", async () => {
  await using server = await TestServer.start();
  let total = 0;
  for (const path of ["/static/app.css", "/static/app.js"]) {
    const { body } = await server.get(path);
    const packed = body!.pipeThrough(new CompressionStream("gzip"));
    total += (await new Response(packed).arrayBuffer()).byteLength;
  }
  assert.ok(total < 20_000, `${total}`);
});
