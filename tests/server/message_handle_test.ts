import assert from "node:assert/strict";
import { findHandle, handleOf, shortHandle } from "../../server/message_handle.ts";

const ODD = ["", "two words", "~tilde", "<b>", "-dash", "x".repeat(65), "a\nb", "a/b"];

Deno.test("a plain id is its own handle", () => {
  for (const id of ["7", "a-b_c.d:e", "x".repeat(64), "5f0c9a1e-0000-4000-8000-000000000000"]) {
    assert.equal(handleOf(id), id);
  }
});

Deno.test("an odd id has a handle that is one word, the same each time and another for each", () => {
  const handles = ODD.map(handleOf);
  for (const handle of handles) assert.match(handle, /^~[0-9a-f]{16}$/);
  assert.deepEqual(ODD.map(handleOf), handles);
  assert.equal(new Set(handles).size, ODD.length);
});

Deno.test("a message is found by its id, its handle and the beginning of that", () => {
  const ids = [...ODD, "abcdefgh-1", "abcdefgh-2", "order-17"];
  for (const id of ids) {
    assert.equal(findHandle(id, ids), id);
    assert.equal(findHandle(handleOf(id), ids), id);
  }
  assert.equal(findHandle("orde", ids), "order-17");
  assert.equal(findHandle(shortHandle("two words"), ids), "two words");
});

Deno.test("a beginning that is too short names nothing, one that several share is refused", () => {
  const ids = ["abcdefgh-1", "abcdefgh-2", "order-17"];
  assert.equal(findHandle("ord", ids), null);
  assert.equal(findHandle("none-such", ids), null);
  assert.equal(findHandle("", ids), null);
  assert.throws(() => findHandle("abcdefgh", ids), /2 ids begin with "abcdefgh"/);
});

Deno.test("an id that is the beginning of another is meant where it stands alone", () => {
  assert.equal(findHandle("order-1", ["order-17", "order-1"]), "order-1");
});
