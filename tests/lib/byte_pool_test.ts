import assert from "node:assert/strict";
import { BytePool } from "../../lib/byte_pool.ts";

/** What a piece may keep in memory beside itself, in bytes. */
const MOST_KEPT = 4_096;

Deno.test("a piece has as many bytes as were asked for", () => {
  const pool = new BytePool();
  for (const size of [0, 1, 4, 1_023, 1_024, 1_025, 4_096, 4_097, 10_000, 100_000]) {
    assert.equal(pool.take(size).byteLength, size);
  }
});

Deno.test("pieces do not share a byte", () => {
  const pool = new BytePool();
  const pieces = Array.from({ length: 500 }, (_, index) => pool.take(index * 7 % 1_300));
  pieces.forEach((piece, index) => piece.fill(index));
  pieces.forEach((piece, index) => assert.ok(piece.every((byte) => byte === index % 256)));
});

Deno.test("small pieces share their memory, a few at a time", () => {
  const pool = new BytePool();
  const pieces = Array.from({ length: 5_000 }, () => pool.take(20));
  const buffers = new Set(pieces.map(({ buffer }) => buffer));
  assert.ok(buffers.size > 1 && buffers.size < 100);
  for (const { byteLength } of buffers) assert.ok(byteLength <= MOST_KEPT);
});

Deno.test("a large piece has its memory for itself", () => {
  const pool = new BytePool();
  pool.take(1);
  for (const size of [MOST_KEPT, 100_000]) assert.equal(pool.take(size).buffer.byteLength, size);
});
