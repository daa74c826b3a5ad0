import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";

/** A two-way stream of bytes, as a TCP connection and a WebSocket can both provide it. */
export interface ByteLink {
  /** What arrives; ends when the other side is done. */
  readonly incoming: AsyncIterable<Uint8Array>;
  /** Sends bytes; resolves when the link takes more. */
  send(bytes: Uint8Array): Promise<void>;
  /** Ends the link. Twice is harmless. */
  close(): void;
}

type Done = (error?: Error | null) => void;

const MAX_SEND_BYTES = 1 << 20;

/**
 * A byte link as the Node stream that aedes reads and writes.
 *
 * - `read()` without a size returns everything that is buffered. Current streams hand out one chunk a call, while aedes
 *   calls once for each `readable` event, so that a packet in several chunks would stay half read for ever.
 * - Writing never asks aedes to wait: aedes would make the publisher wait for its slowest subscriber, pings and all.
 *   What a slow subscriber has not taken yet stands in memory, like everything else in this broker.
 */
export class BrokerStream extends Duplex {
  readonly #link: ByteLink;
  #resume: (() => void) | null = null;

  constructor(link: ByteLink) {
    super({ writableHighWaterMark: Number.MAX_SAFE_INTEGER });
    this.#link = link;
    this.#receive();
  }

  override read(size?: number | null): Buffer | null {
    if (size !== undefined && size !== null) return super.read(size);
    const chunks: Buffer[] = [];
    for (let chunk = super.read(); chunk !== null; chunk = super.read()) chunks.push(chunk);
    if (chunks.length === 0) return null;
    return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
  }

  override _read(): void {
    this.#resume?.();
    this.#resume = null;
  }

  override _write(chunk: Uint8Array, _encoding: string, done: Done): void {
    this.#link.send(chunk).then(() => done(), done);
  }

  override _writev(items: { chunk: Uint8Array }[], done: Done): void {
    this.#send(items.map((item) => item.chunk)).then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#link.close();
    this.#resume?.();
    done(error);
  }

  async #receive(): Promise<void> {
    try {
      for await (const bytes of this.#link.incoming) {
        if (this.destroyed) return;
        if (!this.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))) {
          await new Promise<void>((resolve) => this.#resume = resolve);
        }
      }
      this.push(null);
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** An MQTT packet comes as five small chunks: join them, but never more than a large one. */
  async #send(chunks: Uint8Array[]): Promise<void> {
    let start = 0;
    let bytes = 0;
    for (let end = 0; end < chunks.length; end++) {
      bytes += chunks[end].byteLength;
      if (bytes < MAX_SEND_BYTES && end < chunks.length - 1) continue;
      await this.#link.send(Buffer.concat(chunks.slice(start, end + 1)));
      start = end + 1;
      bytes = 0;
    }
  }
}
