import assert from "node:assert/strict";
import {
  FIRST_LIMIT,
  LAST_LIMIT,
  MAX_PEEKED,
  messagePlace,
  type PanelPlace,
  readPlace,
  writePlace,
} from "../../server/panel_place.ts";

function read(query: string): PanelPlace | null {
  const params = new URLSearchParams(query);
  return readPlace((name) => params.get(name) ?? undefined);
}

Deno.test("what writePlace() writes, readPlace() reads back", () => {
  const places: PanelPlace[] = [
    { kind: "messages", max: 25 },
    { kind: "dead" },
    { kind: "purge", id: null },
    { kind: "purge", id: "a&b=c" },
    { kind: "message", id: "7", view: null, limit: FIRST_LIMIT, of: "queue" },
    { kind: "message", id: "7", view: "hex", limit: LAST_LIMIT, of: "dead" },
  ];
  for (const place of places) assert.deepEqual(read(writePlace("a/#", place)), place);
});

Deno.test("the topic travels in the link, whatever is in it", () => {
  const query = new URLSearchParams(writePlace("a&panel=dead/#", { kind: "dead" }));
  assert.equal(query.get("topic"), "a&panel=dead/#");
  assert.deepEqual(query.getAll("panel"), ["dead"]);
});

Deno.test("a message with an odd id is named by its handle", () => {
  const place = messagePlace("two words");
  assert.ok(place.kind === "message");
  assert.match(place.id, /^~[0-9a-f]{16}$/);
});

Deno.test("a link that somebody made up leads nowhere, or to the nearest place there is", () => {
  for (const query of ["", "panel=", "panel=nothing", "panel=message"]) {
    assert.equal(read(query), null, query);
  }
  assert.deepEqual(read("panel=messages&n=9999"), { kind: "messages", max: MAX_PEEKED });
  assert.deepEqual(read("panel=messages&n=0"), { kind: "messages", max: 1 });
  assert.deepEqual(read("panel=messages&n=-1"), { kind: "messages", max: 10 });
  const odd = read("panel=message&id=7&view=html&limit=99999999&of=both");
  assert.deepEqual(odd, { kind: "message", id: "7", view: null, limit: LAST_LIMIT, of: "queue" });
});
