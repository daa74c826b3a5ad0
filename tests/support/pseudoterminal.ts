import { findProgram } from "./tools.ts";

const WAIT_MS = 20_000;

/**
 * A command on a terminal of its own, as a person has one: what is typed goes to it, Ctrl-C (`\x03`)
 * is a signal to it, and standard output and standard error come out together. Made by `script` of
 * util-linux.
 */
export class Pseudoterminal implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #keys: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  #text = "";
  #seen = 0;
  #ended = false;
  #wake = Promise.withResolvers<void>();

  /** @param command for `/bin/sh` */
  static async start(
    command: string,
    { env = {}, cwd }: { env?: Record<string, string>; cwd?: string } = {},
  ): Promise<Pseudoterminal> {
    const program = await findProgram("script");
    if (program === null) {
      throw new Error("Cannot open a terminal: script is missing, run `deno task test` once");
    }
    return new Pseudoterminal(
      new Deno.Command(program, {
        args: ["-qec", command, "/dev/null"],
        cwd,
        env: { NO_COLOR: "1", TERM: "xterm", SHELL: "/bin/sh", ...env },
        stdin: "piped",
        stdout: "piped",
        stderr: "null",
      }).spawn(),
    );
  }

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#keys = child.stdin.getWriter();
    this.#reading = this.#read(child.stdout);
  }

  /** Types as a person would. */
  async type(text: string): Promise<void> {
    await this.#keys.write(new TextEncoder().encode(text));
  }

  /**
   * Resolves when the text shows, behind what was waited for before.
   *
   * @throws {Error} when the command ends, or 20 s pass, without it
   */
  async waitFor(text: string): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, WAIT_MS);
    const deadline = Date.now() + WAIT_MS;
    try {
      for (;;) {
        const at = this.#text.indexOf(text, this.#seen);
        if (at >= 0) {
          this.#seen = at + text.length;
          return;
        }
        if (this.#ended || Date.now() >= deadline) {
          throw new Error(`Cannot find ${JSON.stringify(text)} on the terminal: ${this.#shown()}`);
        }
        await Promise.race([this.#wake.promise, late.promise]);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Resolves when the command ended by itself. */
  async result(): Promise<{ code: number; text: string }> {
    const [{ code }] = await Promise.all([this.#child.status, this.#reading]);
    await this.#keys.close().catch(() => {}); // Nobody reads what is typed now.
    return { code, text: this.#text };
  }

  /** Takes the terminal away, which ends the command. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) this.#child.kill("SIGKILL");
    await this.result();
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
      this.#text += chunk;
      this.#wake.resolve();
      this.#wake = Promise.withResolvers();
    }
    this.#ended = true;
    this.#wake.resolve();
  }

  #shown(): string {
    return JSON.stringify(this.#text.slice(this.#seen));
  }
}
