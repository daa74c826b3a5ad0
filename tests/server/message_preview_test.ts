import assert from "node:assert/strict";
import { MessageEnvelope } from "../../mod.ts";
import {
  formatSize,
  previewMessage,
  readBody,
  readBodyStart,
} from "../../server/message_preview.ts";

function preview(message: string | Uint8Array | null) {
  return previewMessage(new MessageEnvelope(null, null, message));
}

Deno.test("readBody() indents JSON and keeps every number as it was written", () => {
  const body = readBody(preview('{"id":12345678901234567890,"list":[1.0,"a, {b}"],"none":{}}'));
  assert.equal(body.form, "json");
  assert.equal(
    body.text,
    '{\n  "id": 12345678901234567890,\n  "list": [\n    1.0,\n    "a, {b}"\n  ],\n  "none": {}\n}',
  );
});

Deno.test("readBody() shows as text what merely begins like JSON", () => {
  assert.deepEqual(readBody(preview("{not json")), { form: "text", text: "{not json", shown: 9 });
});

Deno.test("readBody() shows bytes that are no text in rows of sixteen", () => {
  const body = readBody(preview(Uint8Array.from({ length: 18 }, (_, i) => 0xf0 + i)));
  assert.equal(body.form, "hex");
  assert.equal(body.text.split("\n").length, 2);
  assert.match(body.text, /^0000 {2}f0 f1 f2 .* ff {2}\.{16}\n0010 {2}00 01 +\.\.$/);
});

Deno.test("readBody() keeps to the beginning of a large text, even where that cuts a character", () => {
  const large = preview("é".repeat(100_000) + "x");
  const cut = preview("x" + "é".repeat(100_000));
  assert.equal(large.head.length, 4096);
  assert.equal(large.size, 200_001);
  assert.equal(readBody(large).form, "text");
  assert.equal(readBody(cut).form, "text");
  assert.ok(!readBody(cut).text.includes("\ufffd"));
});

Deno.test("readBody() does not let a small body grow into a large one", () => {
  const brackets = readBody(preview("[".repeat(2000) + "]".repeat(2000)));
  assert.ok(brackets.text.length < 150_000);
});

Deno.test("readBody() tells an empty body from one that is not shown", () => {
  assert.deepEqual(readBody(preview(null)), { form: "empty", text: "", shown: 0 });
  assert.equal(readBodyStart(preview(Uint8Array.of(0xff, 0x00))), "ff 00");
});

Deno.test("formatSize() speaks of sizes as people do", () => {
  const sizes = [0, 1023, 1024, 1536, 20_480, 1_048_576, 5 * 1024 ** 3].map(formatSize);
  assert.deepEqual(sizes, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "20 KiB", "1.0 MiB", "5.0 GiB"]);
});
