import assert from "node:assert/strict";
import { MessageEnvelope } from "../../mod.ts";
import { MessageShelf } from "../../server/message_shelf.ts";

const MIB = 1024 * 1024;

function message(id: string, bytes = 1): MessageEnvelope {
  const envelope = new MessageEnvelope(null, null, new Uint8Array(bytes));
  envelope.messageId = id;
  return envelope;
}

Deno.test("what was put there is found by its id", () => {
  const shelf = new MessageShelf();
  const envelope = message("a");
  shelf.put(envelope);
  assert.equal(shelf.get("a"), envelope);
  assert.equal(shelf.get("b"), null);
});

Deno.test("the last hundred are kept, the oldest go first", () => {
  const shelf = new MessageShelf();
  for (let i = 0; i < 101; i++) shelf.put(message(`${i}`));
  assert.equal(shelf.get("0"), null);
  assert.deepEqual([shelf.ids.length, shelf.ids[0], shelf.ids.at(-1)], [100, "1", "100"]);
});

Deno.test("16 MiB are kept at most, and one larger than that leaves the others alone", () => {
  const shelf = new MessageShelf();
  for (const id of ["a", "b", "c"]) shelf.put(message(id, 5 * MIB));
  shelf.put(message("huge", 17 * MIB));
  assert.deepEqual(shelf.ids, ["a", "b", "c"]);
  shelf.put(message("d", 5 * MIB));
  assert.deepEqual(shelf.ids, ["b", "c", "d"]);
});

Deno.test("a message that comes again takes its place anew and counts once", () => {
  const shelf = new MessageShelf();
  shelf.put(message("a", 8 * MIB));
  shelf.put(message("b"));
  shelf.put(message("a", 8 * MIB));
  assert.deepEqual(shelf.ids, ["b", "a"]);
});
