import assert from "node:assert/strict";
import { TestServer } from "../server/test_server.ts";
import { check } from "./check.ts";
import { fc } from "./deps.ts";
import { anyText } from "./hostile_messages.ts";

const COMMANDS = [
  ...["send", "receive", "complete", "abandon", "renew", "dead-letter", "redrive", "purge"],
];
/** Nothing waits long, and nothing but these bodies says how long. */
const FIELDS = ["message", "type", "correlationId", "encoding", "mode", "messageId", "reason"];
const RUNS = 300;

const anyBody = fc.oneof(
  anyText,
  fc.json(),
  fc.dictionary(fc.oneof(fc.constantFrom(...FIELDS), anyText), fc.oneof(fc.jsonValue(), anyText))
    .map((fields) => JSON.stringify({ timeout: 1, ...fields })),
);

/** An answer that a client can rely on: what was asked for, or a problem with a reason. */
async function assertAnswered(response: Response): Promise<void> {
  const text = await response.text();
  assert.ok(response.status < 500 || response.status === 503, `${response.status} ${text}`);
  if (response.status < 400) return;
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  const { status, detail } = JSON.parse(text);
  assert.equal(status, response.status);
  assert.equal(typeof detail, "string");
  assert.doesNotMatch(text, /node_modules|file:\/\/|\n\s+at /);
}

Deno.test("the API answers any body with what was asked for or with a problem", async () => {
  await using server = await TestServer.start();
  const paths = fc.constantFrom(...COMMANDS.map((name) => `/api/${name}`));
  await check(
    fc.asyncProperty(paths, anyBody, async (path, body) => {
      await assertAnswered(
        await server.request(path, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: body.toWellFormed(),
        }),
      );
    }),
    RUNS,
  );
  assert.equal((await server.get("/healthz")).status, 200);
});

Deno.test("the API answers any path, query and method", async () => {
  await using server = await TestServer.start();
  const path = fc.oneof(
    anyText.map((text) => `/${encodeURIComponent(text.toWellFormed())}`),
    fc.tuple(fc.constantFrom("peek", "count", "dead-letters", "stats"), anyText, anyText)
      .map(([name, max, topic]) =>
        `/api/${name}?max=${encodeURIComponent(max.toWellFormed())}&topic=${
          encodeURIComponent(topic.toWellFormed())
        }`
      ),
  );
  const method = fc.constantFrom("GET", "POST", "PUT", "DELETE", "OPTIONS");
  await check(
    fc.asyncProperty(path, method, async (path, method) => {
      const response = await server.request(path, { method });
      assert.ok(response.status < 500 || response.status === 503, `${response.status} ${path}`);
      await response.body?.cancel();
    }),
    RUNS,
  );
});

Deno.test("what is sent through the API comes out as it was", async () => {
  await using server = await TestServer.start();
  const text = anyText.map((value) => value.toWellFormed());
  await check(
    fc.asyncProperty(
      fc.jsonValue(),
      fc.option(text),
      fc.option(text),
      async (message, type, correlationId) => {
        const sent = await server.post("/api/send", { message, type, correlationId });
        assert.equal(sent.status, 200, await sent.text());
        const received = await (await server.post("/api/receive", { timeout: 5_000 })).json();
        assert.deepEqual(received.message, JSON.parse(JSON.stringify(message)));
        assert.equal(received.correlationId, correlationId);
        assert.equal(received.messageType, type);
      },
    ),
    RUNS,
  );
});

Deno.test("the page answers any command line, and shows it as text", async () => {
  await using server = await TestServer.start();
  const words = [
    ...["help", "send", "peek", "count", "listen", "complete", "abandon", "dead", "redrive"],
    ...["purge", "status", "clear", "topic", "receive --timeout 1", "--type", '"', "<b>", "--"],
  ];
  const line = fc.oneof(
    anyText,
    fc.array(fc.oneof(fc.constantFrom(...words), anyText), { maxLength: 5 })
      .map((parts) => parts.join(" ")),
  ).map((text) => `${text} <img src=x onerror=alert(1)>`);
  await check(
    fc.asyncProperty(line, fc.boolean(), async (line, htmx) => {
      const headers: HeadersInit = htmx ? { "hx-request": "true" } : {};
      const response = await server.submit({ line: line.toWellFormed() }, headers);
      const text = await response.text();
      assert.ok(response.status < 500, `${response.status} ${text}`);
      assert.ok(!text.includes("<img"), text);
    }),
    RUNS,
  );
  const page = await server.page();
  assert.ok(!page.includes("<img"));
});
