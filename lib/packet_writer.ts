const MAX_TEXT_BYTES = 65_535;

const encoder = new TextEncoder();

/** Bytes of a packet, one field behind the other ([MQTT-1.5]). It is used again for the next one. */
export class PacketWriter {
  #bytes = new Uint8Array(1_024);
  #length = 0;

  /** Begins anew. */
  clear(): this {
    this.#length = 0;
    return this;
  }

  get length(): number {
    return this.#length;
  }

  /** What was written; the next packet overwrites it. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  twoBytes(value: number): void {
    this.#reserve(2);
    this.#bytes[this.#length++] = value >> 8;
    this.#bytes[this.#length++] = value & 0xff;
  }

  fourBytes(value: number): void {
    this.twoBytes(value >>> 16);
    this.twoBytes(value & 0xffff);
  }

  /** A length of one to four bytes, the low ones first ([MQTT-1.5.5]). */
  variableByte(value: number): void {
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) this.byte(rest & 0x7f | 0x80);
    this.byte(rest);
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.byteLength);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.byteLength;
  }

  /** Bytes behind their length. */
  binary(bytes: Uint8Array): void {
    this.twoBytes(bytes.byteLength);
    this.raw(bytes);
  }

  /**
   * UTF-8 behind its length ([MQTT-1.5.4]). Most texts are short and ASCII: a loop is quicker than a
   * call.
   *
   * @throws {RangeError} where it is longer than a packet can say
   */
  text(text: string): void {
    const { length } = text;
    this.#reserve(2 + 3 * length); // UTF-8 has at most three bytes for each unit of UTF-16.
    const bytes = this.#bytes;
    const start = this.#length + 2;
    let end = start;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) {
        end = start + encoder.encodeInto(text, bytes.subarray(start)).written;
        break;
      }
      bytes[end++] = code;
    }
    if (end - start > MAX_TEXT_BYTES) {
      throw new RangeError(`Cannot write a text: ${end - start} bytes, ${MAX_TEXT_BYTES} at most`);
    }
    this.twoBytes(end - start);
    this.#length = end;
  }

  #reserve(byteLength: number): void {
    const needed = this.#length + byteLength;
    if (needed <= this.#bytes.byteLength) return;
    const larger = new Uint8Array(2 * needed);
    larger.set(this.bytes);
    this.#bytes = larger;
  }
}

/** How many bytes a length takes ([MQTT-1.5.5]). */
export function variableByteLength(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : 4;
}
