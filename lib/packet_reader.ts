/** What the bytes of a link turn out to be. */
export interface PacketReaderHandlers {
  /**
   * A packet of a type that was asked for.
   *
   * @param flags the low half of its first byte
   * @param body what follows the length; a view, which may stand on the chunk that was read
   */
  onPacket(type: number, flags: number, body: Uint8Array): void;
  /** Every other packet, whole, as it stands on the wire. */
  onOther(packet: Uint8Array): void;
}

/** A type and a length take no more bytes than this ([MQTT-2.1.1]). */
const MAX_HEAD_BYTES = 5;

/** Cuts what arrives into packets, and tells apart those that are asked for. It copies only what several chunks share. */
export class PacketReader {
  readonly #types: ReadonlySet<number>;
  readonly #handlers: PacketReaderHandlers;
  /** The beginning of a packet whose length is known, and how much of it is there. */
  #packet: Uint8Array | null = null;
  #filled = 0;
  /** The beginning of one whose length is not known yet. */
  #head: Uint8Array | null = null;
  #stopped = false;

  /** @param types of the packets that go to `onPacket` */
  constructor(types: Iterable<number>, handlers: PacketReaderHandlers) {
    this.#types = new Set(types);
    this.#handlers = handlers;
  }

  /**
   * Reads on.
   *
   * @throws {SyntaxError} where a length has no end: nothing behind it can be read
   */
  read(chunk: Uint8Array): void {
    let bytes = chunk;
    if (this.#head !== null) {
      bytes = new Uint8Array(this.#head.byteLength + chunk.byteLength);
      bytes.set(this.#head);
      bytes.set(chunk, this.#head.byteLength);
      this.#head = null;
    }
    let at = this.#packet === null ? 0 : this.#fill(this.#packet, bytes);
    while (at < bytes.byteLength && !this.#stopped) {
      const bodyAt = headEnd(bytes, at);
      if (bodyAt === null) {
        this.#head = bytes.slice(at);
        return;
      }
      const end = bodyAt + lengthAt(bytes, at + 1);
      if (end > bytes.byteLength) {
        this.#packet = new Uint8Array(end - at);
        this.#filled = 0;
        this.#fill(this.#packet, bytes.subarray(at));
        return;
      }
      this.#hand(bytes, at, bodyAt, end);
      at = end;
    }
  }

  /** Hands out no more, even of the chunk that is being read. */
  stop(): void {
    this.#stopped = true;
  }

  /** Adds to the packet that has begun; tells how many bytes it took. */
  #fill(packet: Uint8Array, bytes: Uint8Array): number {
    const taken = Math.min(packet.byteLength - this.#filled, bytes.byteLength);
    packet.set(taken === bytes.byteLength ? bytes : bytes.subarray(0, taken), this.#filled);
    this.#filled += taken;
    if (this.#filled === packet.byteLength) {
      this.#packet = null;
      this.#hand(packet, 0, headEnd(packet, 0)!, packet.byteLength);
    }
    return taken;
  }

  #hand(bytes: Uint8Array, at: number, bodyAt: number, end: number): void {
    const type = bytes[at] >> 4;
    if (this.#types.has(type)) {
      this.#handlers.onPacket(type, bytes[at] & 0xf, bytes.subarray(bodyAt, end));
    } else {
      this.#handlers.onOther(bytes.subarray(at, end));
    }
  }
}

/** Where the body begins, `null` where that has not arrived yet. */
function headEnd(bytes: Uint8Array, at: number): number | null {
  const limit = Math.min(at + MAX_HEAD_BYTES, bytes.byteLength);
  for (let index = at + 1; index < limit; index++) {
    if (bytes[index] < 0x80) return index + 1;
  }
  if (limit < at + MAX_HEAD_BYTES) return null;
  throw new SyntaxError("Cannot read a packet: its length has no end");
}

/** The length that begins here, which has an end ([MQTT-1.5.5]). */
function lengthAt(bytes: Uint8Array, at: number): number {
  let length = 0;
  for (let shift = 0, index = at;; shift += 7, index++) {
    length |= (bytes[index] & 0x7f) << shift;
    if (bytes[index] < 0x80) return length;
  }
}
