/** Room for packets, in bytes; more is made where one needs it. */
const BLOCK_BYTES = 65_536;
const MAX_TEXT_BYTES = 65_535;
const MAX_LENGTH = 268_435_455;

const encoder = new TextEncoder();

/** Bytes of packets, one field behind the other ([MQTT-1.5]). */
export class PacketWriter {
  #block = new Uint8Array(BLOCK_BYTES);
  #start = 0;
  #end = 0;

  /** Of what was written and not taken. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** Hands over what was written, and goes on behind it: nobody writes into that again. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#block.subarray(this.#start, this.#end);
    this.#start = this.#end;
    return taken;
  }

  /** Forgets what stands behind the first `length` bytes. */
  truncate(length: number): void {
    this.#end = this.#start + length;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#block[this.#end++] = value;
  }

  twoBytes(value: number): void {
    this.#reserve(2);
    this.#block[this.#end++] = value >> 8;
    this.#block[this.#end++] = value & 0xff;
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

  /** Begins what stands behind its length; tells where, for `endMeasured`. */
  beginMeasured(): number {
    this.byte(0);
    return this.length;
  }

  /**
   * Writes the length of what was written since, and of `more` bytes that follow.
   *
   * @throws {RangeError} where that is longer than a packet can say ([MQTT-1.5.5-1])
   */
  endMeasured(begin: number, more = 0): void {
    const value = this.length - begin + more;
    if (value > MAX_LENGTH) {
      throw new RangeError(`Cannot write a packet: ${value} bytes, ${MAX_LENGTH} at most`);
    }
    const lengthBytes = variableByteLength(value);
    const from = this.#start + begin;
    if (lengthBytes > 1) { // There is room for one byte.
      this.#reserve(lengthBytes - 1);
      this.#block.copyWithin(from + lengthBytes - 1, from, this.#end);
    }
    const end = this.#end + lengthBytes - 1;
    this.#end = from - 1;
    this.variableByte(value);
    this.#end = end;
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.byteLength);
    this.#block.set(bytes, this.#end);
    this.#end += bytes.byteLength;
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
    const block = this.#block;
    const start = this.#end + 2;
    let end = start;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) {
        end = start + encoder.encodeInto(text, block.subarray(start)).written;
        break;
      }
      block[end++] = code;
    }
    if (end - start > MAX_TEXT_BYTES) {
      throw new RangeError(`Cannot write a text: ${end - start} bytes, ${MAX_TEXT_BYTES} at most`);
    }
    this.twoBytes(end - start);
    this.#end = end;
  }

  #reserve(byteLength: number): void {
    if (this.#end + byteLength <= this.#block.byteLength) return;
    const { length } = this;
    const block = new Uint8Array(Math.max(BLOCK_BYTES, 2 * (length + byteLength)));
    block.set(this.#block.subarray(this.#start, this.#end));
    this.#block = block;
    this.#start = 0;
    this.#end = length;
  }
}

/** How many bytes a length takes ([MQTT-1.5.5]). */
export function variableByteLength(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : 4;
}
