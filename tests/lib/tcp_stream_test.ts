import assert from "node:assert/strict";
import { once } from "node:events";
import { TcpStream } from "../../lib/tcp_stream.ts";
import { freePort } from "../support/free_port.ts";

/** Whoever listens: hands out the first connection that comes. */
function listen(): { port: number; first: Promise<Deno.TcpConn>; [Symbol.dispose](): void } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const first = listener.accept();
  const { port } = listener.addr as Deno.NetAddr;
  return { port, first, [Symbol.dispose]: () => listener.close() };
}

async function readAll(connection: Deno.TcpConn): Promise<Uint8Array> {
  return new Uint8Array(await new Response(connection.readable).arrayBuffer());
}

Deno.test("chunks of every kind arrive in the order in which they were written", async () => {
  using server = listen();
  const stream = new TcpStream("127.0.0.1", server.port);
  const chunks: (string | Uint8Array)[] = ["short", "blå ☃", "long".repeat(100)];
  for (const size of [0, 1, 4_000, 8_192, 70_000, 200_000]) {
    chunks.push(new Uint8Array(size).fill(size % 251), `after ${size}`);
  }
  for (let round = 0; round < 40; round++) chunks.push(new Uint8Array(3_000).fill(round));
  for (const chunk of chunks) stream.write(chunk);
  stream.resume().end();
  const received = readAll(await server.first);
  const sent = new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
  assert.deepEqual(await received, sent);
  await once(stream, "close");
});

Deno.test("what is written turn by turn arrives too, while a write is under way", async () => {
  using server = listen();
  const stream = new TcpStream("127.0.0.1", server.port);
  await once(stream, "connect");
  const received = readAll(await server.first);
  let expected = "";
  for (let number = 0; number < 500; number++) {
    const text = `${number},`;
    expected += text;
    stream.write(text);
    if (number % 7 === 0) await Promise.resolve();
    if (number % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  stream.resume().end();
  assert.equal(new TextDecoder().decode(await received), expected);
  await once(stream, "close");
});

Deno.test("a reader that does not read makes the writer wait for drain", async () => {
  using server = listen();
  const stream = new TcpStream("127.0.0.1", server.port);
  const block = new Uint8Array(1 << 20);
  let written = 0;
  while (stream.write(block)) written++;
  assert.ok(written < 4);
  const drained = once(stream, "drain");
  const received = readAll(await server.first);
  await drained;
  stream.resume().end();
  assert.equal((await received).byteLength, (written + 1) * block.byteLength);
  await once(stream, "close");
});

Deno.test("what the other side sends is read, and its end ends the stream", async () => {
  using server = listen();
  const stream = new TcpStream("127.0.0.1", server.port);
  let text = "";
  stream.on("data", (bytes: Uint8Array) => text += new TextDecoder().decode(bytes));
  const connection = await server.first;
  await connection.write(new TextEncoder().encode("hello"));
  connection.close();
  await once(stream, "close");
  assert.equal(text, "hello");
});

Deno.test("an end that was asked for before there was a connection comes after what was written", async () => {
  using server = listen();
  const stream = new TcpStream("127.0.0.1", server.port);
  stream.resume().end("goodbye");
  assert.equal(new TextDecoder().decode(await readAll(await server.first)), "goodbye");
  await once(stream, "close");
});

Deno.test("a connection that is refused is an error with its code", async () => {
  const stream = new TcpStream("127.0.0.1", freePort());
  const [error] = await once(stream, "error");
  assert.equal(error.code, "ECONNREFUSED");
});

Deno.test("a host that nobody knows is an error with a code", async () => {
  const stream = new TcpStream("nowhere.invalid", 1883);
  const [error] = await once(stream, "error");
  assert.ok(error.code);
});

Deno.test("a stream that is destroyed before it has connected leaves nothing behind", async () => {
  using server = listen();
  const stream = new TcpStream("127.0.0.1", server.port);
  stream.destroy();
  await once(stream, "close");
  const connection = await server.first;
  assert.equal(await connection.read(new Uint8Array(1)), null);
  connection.close();
  assert.equal(stream.write("late"), false);
});
