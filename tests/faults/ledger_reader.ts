import type { LedgerLine } from "./ledger_line.ts";

const NEWLINE = 10;

/** Reads a ledger that is still written, each line once. A line without an end is not read yet. */
export class LedgerReader {
  readonly #path: string;
  readonly #decoder = new TextDecoder();
  #offset = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** The lines since the last call. */
  read(): LedgerLine[] {
    using file = Deno.openSync(this.#path);
    const bytes = new Uint8Array(file.statSync().size - this.#offset);
    file.seekSync(this.#offset, Deno.SeekMode.Start);
    let count = 0;
    while (count < bytes.length) {
      const more = file.readSync(bytes.subarray(count));
      if (more === null) break;
      count += more;
    }
    const end = bytes.lastIndexOf(NEWLINE, count - 1) + 1;
    this.#offset += end;
    const text = this.#decoder.decode(bytes.subarray(0, end));
    return text.split("\n").slice(0, -1).map((line) => JSON.parse(line));
  }
}
