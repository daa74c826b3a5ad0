import assert from "node:assert/strict";
import { CDN_SCRIPTS } from "../../server/assets.ts";
import { contentSecurityPolicy } from "../../server/security.ts";
import { TestServer } from "./test_server.ts";

/** Of the files that npm has for htmx.org 4.0.1. The hash in the package's README is that of 4.0.0. */
const NPM_HASHES = [
  "sha384-Qp9rdC8H7EqOoX+nR0P3RPG2Noji+qdwJlGpfzwQJsfOpp3sGwIdSP9xO3+UlEhn",
  "sha384-v8HvucQ+ohQhMg0arboXc5049yNR46QKMjphs7YDch+Wm7zpfK5XVS01f26mQDJV",
];

Deno.test("the page's scripts carry the hashes of npm's files, and the policy has the same", async () => {
  await using server = await TestServer.start();
  const page = await server.get("/");
  const policy = page.headers.get("content-security-policy") ?? "";
  const text = await page.text();
  assert.deepEqual(CDN_SCRIPTS.map(({ local }) => local.integrity), NPM_HASHES);
  for (const { url, local } of CDN_SCRIPTS) {
    const bytes = new Uint8Array(await (await server.get(local.path)).arrayBuffer());
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-384", bytes)).toBase64();
    assert.equal(`sha384-${digest}`, local.integrity);
    assert.ok(text.includes(`src="${url}" integrity="${local.integrity}" crossorigin="anonymous"`));
    assert.ok(policy.includes(`'${local.integrity}'`));
  }
});

Deno.test("the policy allows no inline script, no eval and no other origin than the CDN's two files", () => {
  const policy = contentSecurityPolicy("http://127.0.0.1:8080");
  assert.match(policy, /^default-src 'none'; script-src /);
  assert.doesNotMatch(policy, /unsafe|\*|data:|blob:/);
  assert.deepEqual(
    policy.match(/https:\/\/\S+?(?=[ ;])/g),
    CDN_SCRIPTS.map(({ url }) => url),
  );
});

Deno.test("the page has no inline script, style or handler", async () => {
  await using server = await TestServer.start();
  const page = await server.page();
  assert.doesNotMatch(
    page,
    /<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|hx-on|javascript:|js:/,
  );
});

Deno.test("every answer has the security headers", async () => {
  await using server = await TestServer.start();
  for (const path of ["/", "/api/count", "/static/app.css", "/nothing", "/mod.ts", "/healthz"]) {
    const response = await server.get(path);
    await response.body?.cancel();
    const { headers } = response;
    assert.equal(headers.get("x-content-type-options"), "nosniff", path);
    assert.equal(headers.get("x-frame-options"), "DENY", path);
    assert.equal(headers.get("referrer-policy"), "same-origin", path);
    assert.match(headers.get("content-security-policy") ?? "", /default-src 'none'/, path);
  }
});

Deno.test("a host name that is not the server's own is refused: DNS rebinding", async () => {
  await using server = await TestServer.start();
  const refused = [
    "evil.example:8080",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "",
    "a@b",
    "192.168.0.7:8080",
  ];
  for (const host of refused) {
    assert.equal((await server.get("/api/count", { host })).status, 421, host);
  }
  for (const host of ["127.0.0.1:8080", "localhost:8080", "LOCALHOST", "[::1]:8080", "127.0.0.1"]) {
    assert.equal((await server.get("/api/count", { host })).status, 200, host);
  }
});

Deno.test("a host name is served once it is allowed", async () => {
  await using server = await TestServer.start({ allowedHosts: ["queue.example"] });
  assert.equal((await server.get("/healthz", { host: "queue.example:8080" })).status, 200);
  assert.equal((await server.get("/healthz", { host: "x.queue.example" })).status, 421);
});

Deno.test("other sites' pages can change nothing", async () => {
  await using server = await TestServer.start();
  const own = "http://127.0.0.1:8080";
  const cases: [HeadersInit, number][] = [
    [{ "sec-fetch-site": "same-origin" }, 200],
    [{ "sec-fetch-site": "cross-site" }, 403],
    [{ "sec-fetch-site": "same-site" }, 403],
    [{ "sec-fetch-site": "none" }, 403],
    [{ origin: own, host: "127.0.0.1:8080" }, 200],
    [{ origin: "http://127.0.0.1:9090", host: "127.0.0.1:8080" }, 403],
    [{ origin: "https://evil.example", host: "127.0.0.1:8080" }, 403],
    [{ origin: "null" }, 403],
    [{ origin: own, "sec-fetch-site": "cross-site", host: "127.0.0.1:8080" }, 403],
    [{}, 200], // Neither header: no browser.
  ];
  for (const [headers, status] of cases) {
    const response = await server.post("/api/send", { message: "x" }, headers);
    assert.equal(response.status, status, JSON.stringify(headers));
  }
  assert.equal(
    (await server.submit({ line: "count" }, { "sec-fetch-site": "cross-site" })).status,
    403,
  );
});

Deno.test("other sites' pages can lead here, but not read", async () => {
  await using server = await TestServer.start();
  const foreign = { "sec-fetch-site": "cross-site" };
  assert.equal((await server.get("/", foreign)).status, 200);
  assert.equal((await server.get("/mod.ts", foreign)).status, 200);
  for (const path of ["/api/peek", "/api/count", "/events", "/metrics"]) {
    assert.equal((await server.get(path, foreign)).status, 403, path);
  }
  assert.equal((await server.get("/api/count", { "sec-fetch-site": "none" })).status, 200);
  assert.equal((await server.get("/api/count")).headers.get("access-control-allow-origin"), null);
});

Deno.test("a token lets in by URL, by cookie and by header, and nothing else does", async () => {
  await using server = await TestServer.start({ host: "0.0.0.0", token: "correct-horse" });
  assert.equal((await server.get("/")).status, 401);
  assert.equal((await server.get("/?token=wrong-horse")).status, 401);
  assert.equal((await server.get("/api/count?token=correct-horse")).status, 401);
  assert.equal((await server.get("/api/count", { authorization: "Bearer wrong" })).status, 401);
  assert.equal((await server.post("/api/send", { message: "x" })).status, 401);
  assert.equal((await server.get("/events")).status, 401);
  assert.equal((await server.get("/metrics")).status, 401);

  const bearer = { authorization: "Bearer correct-horse" };
  assert.equal((await server.get("/api/count", bearer)).status, 200);

  const welcome = await server.get("/?token=correct-horse");
  assert.equal(welcome.status, 200);
  const cookie = welcome.headers.get("set-cookie") ?? "";
  assert.match(cookie, /; HttpOnly; SameSite=Strict/);
  assert.ok(!cookie.includes("correct-horse"));
  assert.ok(!(await welcome.text()).includes("correct-horse"));
  const [pair] = cookie.split(";");
  assert.equal((await server.get("/", { cookie: `other=1; ${pair}` })).status, 200);
  assert.equal((await server.get("/", { cookie: `${pair}x` })).status, 401);
});

Deno.test("with a token, health, assets and sources stay open", async () => {
  await using server = await TestServer.start({ host: "0.0.0.0", token: "correct-horse" });
  for (const path of ["/healthz", "/readyz", "/static/app.css", "/mod.ts"]) {
    const response = await server.get(path);
    await response.body?.cancel();
    assert.equal(response.status, 200, path);
  }
});

Deno.test("a server for other machines answers for addresses, which cannot be rebound, not for names", async () => {
  await using server = await TestServer.start({ host: "0.0.0.0", token: "correct-horse" });
  assert.equal((await server.get("/healthz", { host: "192.168.0.7:8080" })).status, 200);
  assert.equal((await server.get("/healthz", { host: "[fe80::1]:8080" })).status, 200);
  assert.equal((await server.get("/healthz", { host: "evil.example" })).status, 421);
});
