import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import { toError } from "./errors.ts";

/** Bytes that are read at once. */
const BLOCK_BYTES = 65_536;
/** A chunk that is worth a write of its own rather than a copy, in bytes. */
const LARGE_BYTES = 8_192;
/** Bytes that may wait before `write` asks for a pause. */
const HIGH_WATER_BYTES = 1 << 20;
/** The least room that a read gets, in bytes. */
const LEAST_READ_BYTES = 16_384;

const encoder = new TextEncoder();

type Done = (error?: Error | null) => void;

/**
 * A TCP connection as the Node stream that MQTT.js reads and writes.
 *
 * MQTT.js writes a packet as half a dozen tiny chunks. What was written in one turn, or during the
 * write before, goes out together.
 */
export class TcpStream extends Duplex {
  readonly #opening = new AbortController();
  #connection: Deno.TcpConn | null = null;
  #line: Uint8Array[] = [];
  #waiting = 0;
  #writing = false;
  #pauseAsked = false;
  #flushed: Done | null = null;
  #wanted: (() => void) | null = null;

  /** Connects at once; emits `connect`, or `error` and `close`. */
  constructor(hostname: string, port: number) {
    super({ allowHalfOpen: false });
    this.#open(hostname, port);
  }

  /** Nothing to do: chunks are gathered anyway. */
  override cork(): void {}

  override uncork(): void {}

  /** Takes a chunk; `false` where the caller should wait for `drain`. */
  override write(chunk: Uint8Array | string, encodingOrDone?: unknown, last?: unknown): boolean {
    const done = last ?? encodingOrDone;
    if (this.destroyed || this.writableEnded) {
      if (typeof done === "function") done(new Error("the connection is closed"));
      return false;
    }
    this.#take(chunk);
    if (typeof done === "function") done();
    this.#pauseAsked ||= this.#waiting >= HIGH_WATER_BYTES;
    return !this.#pauseAsked;
  }

  /** The last chunk, given to `end`, comes this way. */
  override _write(chunk: Uint8Array | string, _encoding: string, done: Done): void {
    this.#take(chunk);
    done();
  }

  override _final(done: Done): void {
    if (this.#writing || this.#line.length > 0) this.#flushed = done;
    else this.#finish(done);
  }

  override _read(): void {
    this.#wanted?.();
    this.#wanted = null;
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#opening.abort();
    this.#wanted?.();
    try {
      this.#connection?.close();
    } catch {
      // It is closed already.
    }
    done(error);
  }

  #take(chunk: Uint8Array | string): void {
    const bytes = typeof chunk === "string" ? encoder.encode(chunk) : chunk;
    this.#line.push(bytes);
    this.#waiting += bytes.byteLength;
    this.#startSending();
  }

  #startSending(): void {
    if (this.#connection === null || this.#line.length === 0 || this.#writing) return;
    this.#writing = true;
    queueMicrotask(() => this.#send());
  }

  async #send(): Promise<void> {
    try {
      while (this.#line.length > 0) {
        const line = this.#line;
        this.#line = [];
        for (const bytes of together(line)) await this.#writeAll(bytes);
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#writing = false;
    if (this.#flushed !== null) this.#finish(this.#flushed);
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.byteLength;) {
      sent += await this.#connection!.write(sent === 0 ? bytes : bytes.subarray(sent));
    }
    this.#waiting -= bytes.byteLength;
    if (!this.#pauseAsked || this.#waiting >= HIGH_WATER_BYTES / 2) return;
    this.#pauseAsked = false;
    this.emit("drain");
  }

  /** MQTT.js tells errors that have a code, and swallows others. */
  #fail(thrown: unknown): void {
    if (this.destroyed) return;
    const error = toError(thrown) as Error & { code?: string };
    error.code ??= error.name;
    this.destroy(error);
  }

  #finish(done: Done): void {
    this.#flushed = null;
    this.#connection?.closeWrite().then(() => done(), () => done()); // The other side was quicker.
    if (this.#connection === null) done();
  }

  async #open(hostname: string, port: number): Promise<void> {
    try {
      const { signal } = this.#opening;
      const connection = await Deno.connect({ hostname, port, signal });
      if (this.destroyed) return connection.close();
      connection.setNoDelay(true); // A small packet must not wait for the answer to the one before.
      this.#connection = connection;
      this.emit("connect");
      this.#startSending();
      await this.#receive(connection);
    } catch (error) {
      this.#fail(error);
    }
  }

  async #receive(connection: Deno.TcpConn): Promise<void> {
    let room = new Uint8Array(BLOCK_BYTES);
    for (;;) {
      const count = await connection.read(room);
      if (this.destroyed) return;
      if (count === null) {
        this.push(null);
        return;
      }
      const taken = this.push(Buffer.from(room.buffer, room.byteOffset, count));
      // What was read is read by others now; only what is behind it is free.
      room = room.byteLength - count < LEAST_READ_BYTES
        ? new Uint8Array(BLOCK_BYTES)
        : room.subarray(count);
      if (!taken) await new Promise<void>((resolve) => this.#wanted = resolve);
      if (this.destroyed) return;
    }
  }
}

/** The chunks, small ones that stand side by side as one. */
function* together(chunks: Uint8Array[]): Generator<Uint8Array> {
  for (let at = 0; at < chunks.length;) {
    const first = at;
    while (at < chunks.length && chunks[at].byteLength < LARGE_BYTES) at++;
    if (at - first > 1) yield Buffer.concat(chunks.slice(first, at));
    else if (at > first) yield chunks[first];
    if (at < chunks.length) yield chunks[at++];
  }
}
