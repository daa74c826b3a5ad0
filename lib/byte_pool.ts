/** What small pieces are cut from, in bytes: one that is kept keeps no more than this. */
const BLOCK_BYTES = 4_096;

/**
 * Memory for many small pieces, cut from shared blocks: a buffer for each would cost more than what
 * is in it. Nothing is given back; a block goes when its last piece does.
 */
export class BytePool {
  #block = new Uint8Array(0);
  #used = 0;

  /** So many bytes, all of them the caller's. What is in them is not defined. */
  take(byteLength: number): Uint8Array<ArrayBuffer> {
    if (byteLength > BLOCK_BYTES / 4) return new Uint8Array(byteLength);
    if (this.#used + byteLength > this.#block.byteLength) {
      this.#block = new Uint8Array(BLOCK_BYTES);
      this.#used = 0;
    }
    return this.#block.subarray(this.#used, this.#used += byteLength);
  }
}
