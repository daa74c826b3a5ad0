import { ChildProcess } from "./child_process.ts";
import { freePort } from "./free_port.ts";
import { findProgram } from "./tools.ts";

/** How a {@linkcode Mosquitto} is started. */
export interface MosquittoOptions {
  /** Loopback port. @default {a free one} */
  port?: number;
  /** Whether it listens for MQTT over WebSocket too, on a free port of its own. @default {false} */
  webSocket?: boolean;
  /** Lines put after those of `mosquitto/mosquitto.conf`; of two equal settings the later wins. */
  config?: readonly string[];
  /** Whether it has its own defaults in place of the settings of `mosquitto/mosquitto.conf`. @default {false} */
  asItComes?: boolean;
}

const PROJECT_CONFIG = new URL("../../mosquitto/mosquitto.conf", import.meta.url);
/** With no settings at all nobody but the one who started it may come in. */
const DEFAULTS = "listener 1883\nallow_anonymous true\n";
const ATTEMPTS = 5;
const STOP_AGAIN_MS = 250;

/**
 * A real Mosquitto on the loopback address with the project's own settings.
 *
 * - `stop()` ends it in good order: sessions, waiting and retained messages are written down.
 * - `kill()` ends it like a crash: what was not written down is lost.
 * - `restart()` brings it back on the same port with what was written down.
 * - Disposing ends it and removes its folder. Nothing is left for the sanitizers to find.
 */
export class Mosquitto implements AsyncDisposable {
  readonly port: number;
  readonly webSocketPort: number | null;
  readonly #folder: string;
  readonly #program: string;
  #process: ChildProcess | null = null;

  /** Starts a broker and resolves when it takes connections. */
  static async start(options: MosquittoOptions = {}): Promise<Mosquitto> {
    const program = await findProgram("mosquitto");
    if (program === null) {
      throw new Error("Cannot start Mosquitto: it is not installed, run `deno task test` once");
    }
    const settings = options.asItComes ? DEFAULTS : await Deno.readTextFile(PROJECT_CONFIG);
    for (let attempt = 1;; attempt++) {
      const broker = new Mosquitto(
        program,
        await Deno.makeTempDir({ prefix: "mosquitto-" }),
        options,
      );
      await broker.#writeConfig(settings, options.config ?? []);
      try {
        await broker.restart();
        return broker;
      } catch (error) {
        await broker[Symbol.asyncDispose]();
        // Somebody took the free port between the look and the listening.
        if (options.port !== undefined || attempt === ATTEMPTS) throw error;
      }
    }
  }

  private constructor(program: string, folder: string, options: MosquittoOptions) {
    this.#program = program;
    this.#folder = folder;
    this.port = options.port ?? freePort();
    this.webSocketPort = options.webSocket ? freePort() : null;
  }

  /** Starts the broker again on the same port, after ending it in good order where it still runs. */
  async restart(): Promise<void> {
    await this.stop();
    const child = ChildProcess.start(this.#program, ["-c", `${this.#folder}/mosquitto.conf`]);
    this.#process = child;
    await child.stderr.waitFor(/^\d+: mosquitto version \S+ running$/);
  }

  /** Ends the broker in good order. Twice is harmless. */
  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child === null) return;
    // Just started, Mosquitto 2.0 forgets a signal: it says that it runs before it listens to them.
    const again = setInterval(() => child.signal("SIGTERM"), STOP_AGAIN_MS);
    try {
      await child.stop();
    } finally {
      clearInterval(again);
    }
  }

  /** Ends the broker as a crash would. Twice is harmless. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = null;
    await child?.kill();
  }

  /** Resolves with the first line of the broker's log, past or future, that matches. */
  waitForLog(pattern: string | RegExp): Promise<string> {
    if (this.#process === null) {
      return Promise.reject(new Error("Cannot read the log: Mosquitto does not run"));
    }
    return this.#process.stderr.waitFor(pattern);
  }

  /** Of the process that runs. */
  get pid(): number {
    if (this.#process === null) throw new Error("Cannot tell the process: Mosquitto does not run");
    return this.#process.pid;
  }

  /** `mqtt://127.0.0.1:<port>`, ready for a client. */
  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  /** `ws://127.0.0.1:<port>`; only with the option `webSocket`. */
  get webSocketUrl(): string {
    if (this.webSocketPort === null) {
      throw new Error("Cannot tell the WebSocket URL: start Mosquitto with `webSocket: true`");
    }
    return `ws://127.0.0.1:${this.webSocketPort}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #writeConfig(projectSettings: string, extra: readonly string[]): Promise<void> {
    const settings = projectSettings.split("\n")
      .filter((line) => !/^\s*(#|$)/.test(line))
      .map((line) => {
        if (/^listener\s/.test(line)) return `listener ${this.port} 127.0.0.1`;
        if (/^persistence_location\s/.test(line)) return `persistence_location ${this.#folder}/`;
        return line;
      });
    // Started as root it would change to a user who cannot write into the temporary folder.
    if (Deno.uid() === 0) settings.unshift("user root");
    if (this.webSocketPort !== null) {
      settings.push(`listener ${this.webSocketPort} 127.0.0.1`, "protocol websockets");
    }
    await Deno.writeTextFile(
      `${this.#folder}/mosquitto.conf`,
      [...settings, ...extra, ""].join("\n"),
    );
  }
}
