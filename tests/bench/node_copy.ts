import { ChildProcess } from "../support/child_process.ts";
import { findExecutable } from "../support/tools.ts";

/** Everything that the rivals need, as it lies under tests/. */
const FILES = [
  "bench/programs/drive.js",
  "bench/programs/resident_bytes.js",
  "bench/programs/severally.js",
  "bench/rivals/deps.js",
  "bench/rivals/mqttjs.js",
  "bench/rivals/mqttjs_cold_start.js",
  "bench/rivals/mqttjs_memory.js",
  "bench/rivals/mqttjs_several.js",
  "bench/rivals/pip_services.js",
  "peers/deps.js",
];
const TESTS = new URL("../", import.meta.url);
const SPECIFIER = /"npm:([^"]+)@(\d+\.\d+\.\d+)"/g;
const INSTALL_LIMIT_MS = 60_000;

/**
 * The rivals in a temporary folder of their own, where Node finds their packages: the same files, with the same
 * versions of the packages.
 */
export class NodeCopy implements AsyncDisposable {
  /** Node's path. */
  readonly program: string;
  /** What `node --version` says. */
  readonly version: string;
  readonly #folder: string;

  /**
   * Copies the rivals and installs their packages.
   *
   * @throws {Error} where Node or npm is not there, or the packages cannot be installed
   */
  static async create(): Promise<NodeCopy> {
    const folders = (Deno.env.get("PATH") ?? "").split(":");
    const [node, npm] = await Promise.all([
      findExecutable("node", folders),
      findExecutable("npm", folders),
    ]);
    if (node === null || npm === null) {
      throw new Error("Cannot run rivals in Node: it is not there");
    }
    const version = await output(node, ["--version"]);
    const copy = new NodeCopy(
      node,
      version.trim(),
      await Deno.makeTempDir({ prefix: "bench-node-" }),
    );
    try {
      await copy.#write();
      await output(npm, [
        ...["install", "--prefix", copy.#folder, "--prefer-offline"],
        ...["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"],
      ]);
      return copy;
    } catch (error) {
      await copy[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(program: string, version: string, folder: string) {
    this.program = program;
    this.version = version;
    this.#folder = folder;
  }

  /** Where a file of tests/bench/ lies in the copy. */
  pathOf(file: string): string {
    return `${this.#folder}/bench/${file}`;
  }

  /** Removes the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #write(): Promise<void> {
    const dependencies: Record<string, string> = {};
    for (const file of FILES) {
      const text = forNode(await Deno.readTextFile(new URL(file, TESTS)), dependencies);
      const path = `${this.#folder}/${file}`;
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      await Deno.writeTextFile(path, text);
    }
    await Deno.writeTextFile(
      `${this.#folder}/package.json`,
      JSON.stringify({ private: true, type: "module", dependencies }),
    );
  }
}

/** The text with its packages named as Node does; their versions are noted among the dependencies. */
export function forNode(text: string, dependencies: Record<string, string>): string {
  return text.replace(SPECIFIER, (_, name, version) => {
    dependencies[name] = version;
    return `"${name}"`;
  });
}

async function output(program: string, args: readonly string[]): Promise<string> {
  await using child = ChildProcess.start(program, args);
  const limit = setTimeout(() => child.signal("SIGKILL"), INSTALL_LIMIT_MS);
  try {
    const { code, stdout, stderr } = await child.result();
    if (code !== 0) throw new Error(`Cannot prepare Node: ${args[0]} failed, ${stderr.trim()}`);
    return stdout;
  } finally {
    clearTimeout(limit);
  }
}
