import assert from "node:assert/strict";
import { jsonTree } from "../../server/json_tree.ts";

function tree(text: string): string {
  return jsonTree(text)?.toString() ?? "";
}

Deno.test("a tree shows names, values and how much is in each branch", () => {
  const shown = tree(`{"a": "text", "b": [true, null], "c": {}, "d": []}`);
  assert.match(shown, /<summary><i>\{4\}<\/i>|<summary>\s*<i>\{4\}/);
  assert.match(shown, /<bdi>a<\/bdi>[^]*?<span class="string" dir="auto">&quot;text&quot;|"text"/);
  assert.match(shown, /\[2\]/);
  assert.match(shown, /<span class="word">true<\/span>/);
  assert.match(shown, /<span class="word">null<\/span>/);
  assert.match(shown, /<i>\{\}<\/i>/);
  assert.match(shown, /<i>\[\]<\/i>/);
});

Deno.test("numbers keep every digit that was written", () => {
  for (const number of ["12345678901234567890", "1.10", "1e400", "-0"]) {
    assert.ok(tree(`[${number}]`).includes(`<span class="number">${number}</span>`), number);
  }
});

Deno.test("what is no JSON has no tree", () => {
  for (const text of ["", "{", "{'a': 1}", "hello", "[1,]"]) assert.equal(jsonTree(text), null);
});

Deno.test("names and strings stay text, and show what they hide", () => {
  const shown = tree(`{"<b>\u202e": "</span><script>\\u0007"}`);
  assert.doesNotMatch(shown, /<script>|\u202e/);
  assert.ok(!shown.includes("\u0007"));
  assert.match(shown, /&lt;b&gt;⟨U\+202E⟩/);
  assert.match(shown, /&lt;script&gt;⟨BEL⟩/);
});

Deno.test("a tree is bounded: in its nodes, its depth and the length of a text", () => {
  const wide = tree(JSON.stringify(Array(10_000).fill(1)));
  assert.equal(wide.match(/class="number"/g)?.length, 1999);
  assert.match(wide, /8001 more are not shown/);
  const deep = tree(`${"[".repeat(200)}${"]".repeat(200)}`);
  assert.match(deep, /\[1\] too deep to show/);
  assert.ok(tree(JSON.stringify("x".repeat(100_000))).length < 11_000);
  assert.equal(jsonTree(`${"[".repeat(100_000)}${"]".repeat(100_000)}`) === undefined, false);
});

Deno.test("the first branches are open, the deeper ones wait for a click", () => {
  const shown = tree(`{"a": {"b": {"c": {"d": 1}}}}`);
  assert.equal(shown.match(/<details open>/g)?.length, 3);
  assert.equal(shown.match(/<details>/g)?.length, 1);
});
