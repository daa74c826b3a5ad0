import assert from "node:assert/strict";
import { html } from "../../server/deps.ts";
import { LiveFeed } from "../../server/live_feed.ts";

const parts = { status: () => "<p>status</p>", announcement: () => "" };

/** Reads a stream frame by frame. */
class FrameReader implements AsyncDisposable {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

  constructor(feed: LiveFeed, position: string | null) {
    const stream = feed.stream(position);
    assert.ok(stream !== null);
    this.#reader = stream.getReader();
  }

  async next(): Promise<string> {
    const { value } = await this.#reader.read();
    return value === undefined ? "" : new TextDecoder().decode(value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel();
  }
}

function push(feed: LiveFeed, ...texts: string[]) {
  for (const text of texts) feed.push(() => html`<p>${text}</p>`);
}

Deno.test("a frame holds everything that came up since the last one, and an id to resume from", async () => {
  const feed = new LiveFeed(parts);
  await using reader = new FrameReader(feed, feed.position);
  assert.match(await reader.next(), /hx-target="#status"/);
  push(feed, "one", "two");
  const frame = await reader.next();
  assert.match(
    frame,
    /^id: [0-9a-f]{8}-2\ndata: <hx-partial hx-target="#log" hx-swap="beforeend">/,
  );
  assert.match(frame, /<p>one<\/p><p>two<\/p>/);
  assert.ok(frame.endsWith("\n\n"));
  feed.close();
});

Deno.test("a page that comes back gets what it missed and nothing twice", async () => {
  const feed = new LiveFeed(parts);
  push(feed, "one");
  const { position } = feed;
  push(feed, "two", "three");
  await using reader = new FrameReader(feed, position);
  const frame = await reader.next();
  assert.match(frame, /<p>two<\/p><p>three<\/p>/);
  assert.doesNotMatch(frame, /one/);
  feed.close();
});

Deno.test("a page of another life of the server is filled anew", async () => {
  const feed = new LiveFeed(parts);
  push(feed, "one");
  for (const position of ["deadbeef-1", "nonsense", "", null]) {
    await using reader = new FrameReader(feed, position);
    assert.match(await reader.next(), /hx-target="#log" hx-swap="innerHTML"><p>one<\/p>/);
  }
  feed.close();
});

Deno.test("clear() empties the page that listens and the one that was away", async () => {
  const feed = new LiveFeed(parts);
  push(feed, "one");
  const { position } = feed;
  feed.clear();
  push(feed, "two");
  await using reader = new FrameReader(feed, position);
  assert.match(await reader.next(), /hx-swap="innerHTML"><p>two<\/p><\/hx-partial>/);
  feed.close();
});

Deno.test("a flood is cut to what can be read, and says how much was left out", async () => {
  const feed = new LiveFeed(parts);
  const { position } = feed;
  let rendered = 0;
  for (let i = 0; i < 10_000; i++) {
    feed.push(() => {
      rendered++;
      return html`<p>${i}</p>`;
    });
  }
  await using reader = new FrameReader(feed, position);
  const frame = await reader.next();
  assert.match(frame, /9,960 not shown/);
  assert.equal(frame.match(/<p>\d/g)?.length, 40);
  assert.equal(rendered, 40);
  feed.close();
});

Deno.test("line breaks in the HTML cannot end a frame or forge a field", async () => {
  const feed = new LiveFeed(parts);
  const { position } = feed;
  push(feed, "a\r\rid: 1\n\nevent: x\r\n");
  await using reader = new FrameReader(feed, position);
  const lines = (await reader.next()).trimEnd().split(/\r\n|\r|\n/);
  assert.match(lines[0], /^id: /);
  for (const line of lines.slice(1)) assert.match(line, /^data: /);
  feed.close();
});

Deno.test("as many pages listen as may, and a place is free again when one has gone", async () => {
  const feed = new LiveFeed(parts, { maxStreams: 1 });
  const first = feed.stream(null);
  assert.ok(first !== null);
  assert.equal(feed.stream(null), null);
  await first.cancel();
  assert.equal(feed.streams, 0);
  await using _second = new FrameReader(feed, null);
  feed.close();
});

Deno.test("a page that leaves a frame lying is let go of, one that waits for a frame is not", async () => {
  const feed = new LiveFeed(parts, { stallMs: 0 });
  await using waiting = new FrameReader(feed, feed.position);
  const stalled = feed.stream(feed.position)?.getReader();
  assert.ok(stalled !== undefined);
  await Promise.all([waiting.next(), stalled.read()]);
  const next = waiting.next();
  await new Promise((resolve) => setTimeout(resolve, 2)); // Time has to pass.
  push(feed, "one");
  assert.match(await next, /<p>one<\/p>/);
  assert.equal((await stalled.read()).done, true);
  assert.equal(feed.streams, 1);
  feed.close();
});

Deno.test("nothing is rendered for a page that does not read", async () => {
  const feed = new LiveFeed(parts);
  const stream = feed.stream(feed.position);
  let rendered = 0;
  feed.push(() => {
    rendered++;
    return html`<p>one</p>`;
  });
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(rendered, 0);
  await stream?.cancel();
  feed.close();
});

Deno.test("close() ends every stream", async () => {
  const feed = new LiveFeed(parts);
  await using reader = new FrameReader(feed, feed.position);
  await reader.next();
  const end = reader.next();
  feed.close();
  assert.equal(await end, "");
  assert.equal(feed.streams, 0);
  assert.equal(feed.stream(null), null);
});

Deno.test("only what has changed is sent", async () => {
  let status = "<p>a</p>";
  const feed = new LiveFeed({ status: () => status, announcement: () => "" });
  await using reader = new FrameReader(feed, feed.position);
  await reader.next();
  feed.touch();
  push(feed, "one");
  assert.doesNotMatch(await reader.next(), /#status/);
  status = "<p>b</p>";
  feed.touch();
  const frame = await reader.next();
  assert.match(frame, /#status/);
  assert.doesNotMatch(frame, /#log/);
  feed.close();
});
