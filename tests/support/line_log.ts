interface Waiter {
  matches: (line: string) => boolean;
  resolve: (line: string) => void;
  fail: (why: string) => void;
}

const WAIT_MS = 20_000;
const ENDED = "the output ended";

/** The lines of a process's output, as they come: read to the end in the background, so that its pipe never fills. */
export class LineLog {
  readonly #lines: string[] = [];
  readonly #waiters = new Set<Waiter>();
  readonly #text: Promise<string>;
  #ended = false;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#text = this.#read(stream);
  }

  /**
   * Resolves with the first line, past or future, that contains the text or matches the expression.
   *
   * @throws {Error} When the output ends, or 20 s pass, without such a line; the message quotes what came instead
   */
  waitFor(pattern: string | RegExp): Promise<string> {
    const matches = (line: string) =>
      typeof pattern === "string" ? line.includes(pattern) : pattern.test(line);
    const past = this.#lines.find(matches);
    if (past !== undefined) return Promise.resolve(past);
    if (this.#ended) return Promise.reject(this.#missing(pattern, ENDED));
    return new Promise((resolve, reject) => {
      const fail = (why: string) => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        reject(this.#missing(pattern, why));
      };
      const timer = setTimeout(() => fail(`none came within ${WAIT_MS} ms`), WAIT_MS);
      const waiter: Waiter = {
        matches,
        resolve: (line) => {
          clearTimeout(timer);
          resolve(line);
        },
        fail,
      };
      this.#waiters.add(waiter);
    });
  }

  /** Everything that was written, once the output has ended. */
  text(): Promise<string> {
    return this.#text;
  }

  /** The lines so far. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<string> {
    let text = "";
    let rest = "";
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#add(line);
    }
    if (rest !== "") this.#add(rest);
    this.#ended = true;
    for (const waiter of this.#waiters) waiter.fail(ENDED);
    return text;
  }

  #add(line: string): void {
    this.#lines.push(line);
    for (const waiter of this.#waiters) {
      if (!waiter.matches(line)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(line);
    }
  }

  #missing(pattern: string | RegExp, why: string): Error {
    return new Error(
      `Cannot find a line with ${pattern}: ${why}, received ${this.#lines.join("\n")}`,
    );
  }
}
