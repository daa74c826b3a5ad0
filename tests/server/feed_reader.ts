import assert from "node:assert/strict";

const WAIT_MS = 20_000;

/** What the page hears, read as it comes. */
export class FeedReader {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #seen = "";

  static async open(url: string): Promise<FeedReader> {
    const { body } = await fetch(`${url}events`, { signal: AbortSignal.timeout(WAIT_MS) });
    assert.ok(body !== null);
    return new FeedReader(body);
  }

  private constructor(body: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = body.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Reads on to behind the next such text. */
  async until(text: string): Promise<void> {
    while (!this.#seen.includes(text)) {
      const { value, done } = await this.#reader.read();
      assert.ok(!done, this.#seen);
      this.#seen = this.#seen.slice(-text.length) + value;
    }
    this.#seen = this.#seen.slice(this.#seen.indexOf(text) + text.length);
  }

  async end(): Promise<void> {
    while (!(await this.#reader.read()).done);
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel();
  }
}

/** Asks for the feed and reads no more than its first byte. */
export async function openUnread(url: string): Promise<Deno.TcpConn> {
  const { hostname, port, host } = new URL(url);
  const request = `GET /events HTTP/1.1\r\nhost: ${host}\r\n\r\n`;
  const connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(new TextEncoder().encode(request));
  await connection.read(new Uint8Array(1));
  return connection;
}

/** How many pages listen, as the server counts them. */
export async function countListeners(url: string): Promise<number> {
  const text = await (await fetch(`${url}metrics`)).text();
  return Number(/^mqtt_queue_pages_listening (\d+)$/m.exec(text)?.[1]);
}
