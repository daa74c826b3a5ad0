import { LineLog } from "./line_log.ts";

/** How a {@linkcode ChildProcess} is started. */
export interface ChildProcessOptions {
  /** Variables beside the inherited ones. */
  env?: Record<string, string>;
  /** Whether the inherited variables are left out. @default {false} */
  clearEnv?: boolean;
  /** Working directory. */
  cwd?: string;
  /** What the process reads on its standard input; nothing by default. */
  stdin?: string | Uint8Array;
}

/** How a process ended and everything it wrote. */
export interface ProcessResult {
  code: number;
  signal: Deno.Signal | null;
  stdout: string;
  stderr: string;
}

/**
 * A process that a test started, with its output collected line by line.
 *
 * - `stop()` asks with SIGTERM, `kill()` does not ask; both wait until the process is gone and may be called twice.
 * - After either of them, or after `result()`, no op and no resource is left for the sanitizers to find.
 */
export class ChildProcess implements AsyncDisposable {
  readonly stdout: LineLog;
  readonly stderr: LineLog;
  readonly #child: Deno.ChildProcess;
  readonly #input: Promise<void>;
  #ended = false;

  /** Starts a program; rejects where it does not exist. */
  static start(program: string, args: readonly string[], options: ChildProcessOptions = {}) {
    return new ChildProcess(
      new Deno.Command(program, {
        args: [...args],
        cwd: options.cwd,
        env: options.env,
        clearEnv: options.clearEnv,
        stdin: options.stdin === undefined ? "null" : "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn(),
      options.stdin,
    );
  }

  private constructor(child: Deno.ChildProcess, input: string | Uint8Array | undefined) {
    this.#child = child;
    this.stdout = new LineLog(child.stdout);
    this.stderr = new LineLog(child.stderr);
    this.#input = input === undefined ? Promise.resolve() : feed(child.stdin, input);
  }

  /** Resolves when the process ended by itself. */
  async result(): Promise<ProcessResult> {
    const [status, stdout, stderr] = await Promise.all([
      this.#child.status,
      this.stdout.text(),
      this.stderr.text(),
      this.#input,
    ]);
    this.#ended = true;
    return { code: status.code, signal: status.signal, stdout, stderr };
  }

  /** Sends a signal; a process that has ended already gets none. */
  signal(signal: Deno.Signal): void {
    if (this.#ended) return;
    try {
      this.#child.kill(signal);
    } catch (error) {
      // It ended between the question and the signal.
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Asks the process to end and waits until it did. */
  stop(): Promise<ProcessResult> {
    this.signal("SIGTERM");
    return this.result();
  }

  /** Ends the process as a crash would, and waits until it is gone. */
  kill(): Promise<ProcessResult> {
    this.signal("SIGKILL");
    return this.result();
  }

  get pid(): number {
    return this.#child.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) await this.kill();
  }
}

async function feed(stdin: WritableStream<Uint8Array>, input: string | Uint8Array) {
  const bytes = typeof input === "string" ? new TextEncoder().encode(input) : input;
  const writer = stdin.getWriter();
  try {
    await writer.write(bytes);
    await writer.close();
  } catch {
    // The process ended without reading all of it, which is its right.
  }
}
