import assert from "node:assert/strict";
import type { MessageDraft } from "../../server/message_draft.ts";
import { SavedMessages } from "../../server/saved_messages.ts";
import { TestServer } from "./test_server.ts";

const DRAFT: MessageDraft = {
  body: "hello",
  messageType: "note",
  correlationId: null,
  to: null,
  qos: 2,
  retain: true,
  expiry: 60,
  userProperties: { k: "v" },
};

Deno.test("a message is saved under a name, replaced, and let go of", () => {
  const saved = new SavedMessages();
  saved.put("greeting", DRAFT);
  assert.deepEqual(saved.get("greeting"), DRAFT);
  saved.put("greeting", { ...DRAFT, body: "good morning" });
  assert.equal(saved.get("greeting").body, "good morning");
  assert.deepEqual(saved.names, ["greeting"]);
  saved.remove("greeting");
  assert.throws(() => saved.get("greeting"), /nothing is saved under this name/);
  assert.throws(() => saved.remove("greeting"), SyntaxError);
});

Deno.test("what is missing is answered with what is there", () => {
  const saved = new SavedMessages();
  saved.put("b", DRAFT);
  saved.put("a", DRAFT);
  assert.throws(() => saved.get("c"), /there are @a, @b$/);
});

Deno.test("a name is a word", () => {
  const saved = new SavedMessages();
  for (const name of ["", "two words", "@x", "-x", "_x", "a/b", "x".repeat(41), "<b>"]) {
    assert.throws(() => saved.put(name, DRAFT), SyntaxError, name);
  }
  for (const name of ["order-1", "Grüße", "7.a_b"]) saved.put(name, DRAFT);
});

Deno.test("all together stay small enough for a browser to keep", () => {
  const saved = new SavedMessages();
  const half = { ...DRAFT, body: "x".repeat(512 * 1024) };
  saved.put("one", half);
  saved.put("one", half); // In its own place it needs no more room.
  assert.throws(() => saved.put("two", half), RangeError);
  for (let i = 0; i < 99; i++) saved.put(`name-${i}`, DRAFT);
  assert.throws(() => saved.put("one-more", DRAFT), /100 messages are saved already/);
  assert.throws(() => saved.put("bytes", { ...DRAFT, body: new Uint8Array(1024 * 1024) }));
});

Deno.test("a copy brings everything back to another life, where what is there stays", () => {
  const former = new SavedMessages();
  former.put("text", DRAFT);
  former.put("bytes", { ...DRAFT, body: new Uint8Array([0, 255]) });
  const saved = new SavedMessages();
  saved.put("text", { ...DRAFT, body: "newer" });
  saved.restore(former.copy().lines);
  assert.equal(saved.get("text").body, "newer");
  assert.deepEqual(saved.get("bytes").body, new Uint8Array([0, 255]));
  assert.notEqual(saved.copy().life, former.copy().life);
});

Deno.test("a copy that somebody changed harms nothing", () => {
  const saved = new SavedMessages();
  saved.restore({
    "two words": "send x",
    number: 7,
    empty: "",
    option: "send --qos 9 x",
    base64: "send --base64 %%%",
    long: `send ${"x".repeat(2 * 1024 * 1024)}`,
    good: "send x",
  });
  assert.deepEqual(saved.names, ["good"]);
});

Deno.test("the version changes with what is saved, and only then", () => {
  const saved = new SavedMessages();
  const versions = [saved.version];
  const note = () => versions.push(saved.version);
  saved.put("a", DRAFT);
  note();
  saved.put("a", { ...DRAFT, body: "other" });
  note();
  saved.remove("a");
  note();
  assert.equal(new Set(versions).size, 4);
  assert.throws(() => saved.remove("a"));
  saved.restore({ "no name": "send x" });
  assert.equal(saved.version, versions.at(-1));
});

Deno.test("/saved gives the copy and takes one, from our own page alone", async () => {
  await using former = await TestServer.start();
  await former.submit({ line: "save note --type note hello" });
  const copy = await (await former.get("/saved")).json();
  assert.deepEqual(copy.lines, { note: "send --type note hello" });

  await using server = await TestServer.start();
  for (const site of ["cross-site", "same-site", "none"]) {
    const foreign = await server.post("/saved", copy.lines, { "sec-fetch-site": site });
    assert.equal(foreign.status, 403);
  }
  assert.equal((await server.get("/saved", { "sec-fetch-site": "cross-site" })).status, 403);
  for (const wrong of [null, 7, "text"]) {
    assert.equal((await server.post("/saved", wrong)).status, 400, String(wrong));
  }
  const restored = await (await server.post("/saved", copy.lines)).json();
  assert.deepEqual(restored.lines, copy.lines);
  await server.submit({ line: "send @note" });
  await server.submit({ line: "forget note" });
  const page = await server.page();
  assert.match(page, /sent 5 B/);
  assert.match(page, /data-saved=""/);
});
