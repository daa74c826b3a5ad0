import { ChildProcess } from "../support/child_process.ts";
import type { Mosquitto } from "../support/mosquitto.ts";
import type { LineFiles } from "./line_files.ts";
import type { NodeCopy } from "./node_copy.ts";

/** What a contestant measured, by name. */
export type Figures = Record<string, number>;

/** What a contestant finds in place. */
export interface Arena {
  /** A broker of this cell's own. */
  readonly broker: Mosquitto;
  /** The rivals in Node, where there is one. */
  readonly node: NodeCopy | null;
  readonly lines: LineFiles;
  /** Milliseconds that each program may run. */
  readonly limitMs: number;
  /** Ends whatever runs. */
  readonly signal: AbortSignal;
}

/** Something that is measured in alternation with others. */
export interface Contestant {
  readonly name: string;
  measure(arena: Arena): Promise<Figures>;
}

/** How one of our programs is run: which file, in what, and whether it may collect garbage by itself. */
export interface Program {
  file: string;
  runtime?: "deno" | "node";
  collectsGarbage?: boolean;
}

const ROOT = new URL("../../", import.meta.url);
const FOLDER = new URL("./", import.meta.url);
/** Tells the connection that only subscribes from the one that receives, in the broker's log. */
const FIRST_KEEPALIVE = "61";
const PAGE_RATE = 1000;
const PAGE_COLUMNS = / {2,}/;

/** A program that prints its figures as one line of JSON. */
export function measured(
  name: string,
  program: Program,
  settings: Record<string, unknown>,
): Contestant {
  return {
    name,
    measure: async (arena) => lastJson(await finished(arena, start(arena, program, settings))),
  };
}

/** A program that says when it was through: milliseconds from its start until then. */
export function startedCold(name: string, program: Program, version: 4 | 5): Contestant {
  return {
    name,
    async measure(arena) {
      const startedAt = now();
      const topic = `bench-${crypto.randomUUID()}`;
      const { at } = lastJson(
        await finished(arena, start(arena, program, { version, topic })),
      );
      return { first: at - startedAt };
    },
  };
}

/** A program that leaves a durable session, which Mosquitto's client fills, and that takes it up again. */
export function holding(
  name: string,
  program: Program,
  { version, size, count }: { version: 4 | 5; size: number; count: number },
): Contestant {
  return {
    name,
    async measure(arena) {
      const topic = `bench-${crypto.randomUUID()}`;
      const settings = { version, topic, count };
      await finished(arena, start(arena, program, { ...settings, step: "subscribe" }));
      await finished(arena, await publisher(arena, { topic, qos: 1, size, count }));
      return lastJson(await finished(arena, start(arena, program, { ...settings, step: "hold" })));
    },
  };
}

/** A program that fills a durable session in its first step and is measured in its second. */
export function flooded(name: string, program: Program, settings: Record<string, unknown>) {
  return {
    name,
    async measure(arena: Arena) {
      const topic = `bench-${crypto.randomUUID()}`;
      await finished(arena, start(arena, program, { ...settings, topic, step: "fill" }));
      return lastJson(
        await finished(arena, start(arena, program, { ...settings, topic, step: "drain" })),
      );
    },
  };
}

/** Several processes that begin at the same moment; messages a second and the memory of all together. */
export function together(
  name: string,
  program: Program,
  processes: number,
  settings: Record<string, unknown>,
): Contestant {
  return {
    name,
    async measure(arena) {
      await using stack = new AsyncDisposableStack();
      const children: ChildProcess[] = [];
      for (let i = 0; i < processes; i++) {
        children.push(stack.use(start(arena, program, settings)));
      }
      const results = children.map((child) => finished(arena, child));
      const through = Promise.all(results);
      through.catch(() => {}); // Awaited below, behind the others' readiness.
      await Promise.all(children.map((child) => child.stdout.waitFor(/^ready$/)));
      await finished(arena, mosquitto("mosquitto_pub", arena, ["-t", "go", "-m", "go"]));
      const parts = (await through).map(lastJson);
      const sum = (key: string) => parts.reduce((total, part) => total + part[key], 0);
      const from = Math.min(...parts.map(({ startedAt }) => startedAt));
      const to = Math.max(...parts.map(({ endedAt }) => endedAt));
      return { rate: sum("messages") / (to - from) * 1000, rss: sum("rss") / 1024 ** 2 };
    },
  };
}

/** Mosquitto's own clients: the limit of broker and machine. Their start counts. */
export function mosquittoClients(
  name: string,
  { qos, size, count }: { qos: number; size: number; count: number },
): Contestant {
  return {
    name,
    async measure(arena) {
      const figures: Figures = {};
      const rate = async (work: Promise<unknown>) => {
        const startedAt = performance.now();
        await work;
        return count / (performance.now() - startedAt) * 1000;
      };
      for (const mode of ["both", "send"]) {
        const topic = `bench-${crypto.randomUUID()}`;
        const session = ["-c", "-i", topic, "-t", topic, "-q", `${qos}`];
        const publish = () => publisher(arena, { topic, qos, size, count });
        const receive = () =>
          mosquitto("mosquitto_sub", arena, [...session, "-C", `${count}`], { muted: true });
        await finished(
          arena,
          mosquitto("mosquitto_sub", arena, [...session, "-E", "-k", FIRST_KEEPALIVE]),
        );
        if (mode === "send") {
          figures.send = await rate(finished(arena, await publish()));
          if (qos > 0) figures.receive = await rate(finished(arena, receive()));
          continue;
        }
        await using receiver = receive();
        // It was there before, with another keepalive, so it is subscribed as soon as it is back.
        await arena.broker.waitForLog(new RegExp(`as ${topic} \\(p\\d, c0, k60\\)`));
        const received = finished(arena, receiver);
        figures.both = await rate(Promise.all([finished(arena, await publish()), received]));
      }
      return figures;
    },
  };
}

/** The JSON API of a server that runs on the cell's broker. */
export function served(
  name: string,
  program: Program,
  settings: Record<string, unknown>,
): Contestant {
  return {
    name,
    async measure(arena) {
      await using server = ChildProcess.start(Deno.execPath(), [
        ...["run", "--quiet", "--no-prompt", "--unstable-no-legacy-abort", "--allow-env"],
        ...["--allow-net", "--allow-read=mod.ts,lib", "server/main.ts"],
        ...["--port", "0", "--broker", arena.broker.url],
      ], { cwd: ROOT.pathname, env: { NO_COLOR: "1" } });
      const address = await server.stdout.waitFor(/http:\S+/);
      const api = new URL(/http:\S+/.exec(address)![0]).origin;
      const json = await finished(arena, start(arena, program, { ...settings, api }));
      return lastJson(json);
    },
  };
}

/** The bench of the page, which has a program of its own. */
export function page(name: string): Contestant {
  return {
    name,
    async measure(arena) {
      const file = new URL("page_bench.ts", FOLDER).pathname;
      const child = ChildProcess.start(Deno.execPath(), ["run", "--quiet", "--allow-all", file]);
      return pageFigures(await finished(arena, child), PAGE_RATE);
    },
  };
}

/**
 * Reads what the page's bench printed: a line of titles, and a line of numbers for each rate. `<50` counts as 50.
 *
 * @throws {Error} where the rate is not there
 */
export function pageFigures(output: string, rate: number): Figures {
  const [titles, ...lines] = output.trim().split("\n").map((line) => line.trim());
  const rows = lines.map((line) =>
    line.split(/\s+/).map((value) => Number(value.replace("<", "")))
  );
  const row = rows.find(([value]) => value === rate);
  if (row === undefined) throw new Error(`Cannot measure: no line for ${rate} messages/s`);
  return Object.fromEntries(titles.split(PAGE_COLUMNS).map((title, i) => [title, row[i]]));
}

function start(
  { broker, node }: Arena,
  { file, runtime = "deno", collectsGarbage = false }: Program,
  settings: Record<string, unknown>,
): ChildProcess {
  const json = JSON.stringify({ url: broker.url, broker: broker.pid, ...settings });
  if (runtime === "node") {
    if (node === null) throw new Error("Cannot run it: Node is not there");
    const flags = collectsGarbage ? ["--expose-gc"] : [];
    return ChildProcess.start(node.program, [...flags, node.pathOf(file), json]);
  }
  const flags = collectsGarbage ? ["--v8-flags=--expose-gc"] : [];
  return ChildProcess.start(Deno.execPath(), [
    // Without all permissions nothing of /proc can be read.
    ...["run", "--quiet", "--allow-all", ...flags, new URL(file, FOLDER).pathname, json],
  ], { env: { NO_COLOR: "1" } });
}

async function publisher(
  arena: Arena,
  { topic, qos, size, count }: { topic: string; qos: number; size: number; count: number },
): Promise<ChildProcess> {
  const input = await arena.lines.path(size, count);
  return mosquitto("mosquitto_pub", arena, ["-t", topic, "-q", `${qos}`, "-l", "-M", "4096"], {
    input,
  });
}

function mosquitto(
  program: "mosquitto_pub" | "mosquitto_sub",
  { broker }: Arena,
  args: readonly string[],
  { input = "/dev/null", muted = false }: { input?: string; muted?: boolean } = {},
): ChildProcess {
  const output = muted ? "/dev/null" : "/dev/stdout";
  const command = [program, "-h", "127.0.0.1", "-p", `${broker.port}`, ...args];
  // The shell becomes the program, so that it is the program that is ended where it takes too long.
  return ChildProcess.start("sh", ["-c", `exec "$@" <"$0" >${output}`, input, ...command]);
}

/** What it printed; ends it where it takes too long. */
async function finished({ limitMs, signal }: Arena, child: ChildProcess): Promise<string> {
  let late = false;
  const limit = setTimeout(() => {
    late = true;
    child.signal("SIGKILL");
  }, limitMs);
  const kill = () => child.signal("SIGKILL");
  signal.addEventListener("abort", kill);
  try {
    const { code, stdout, stderr } = await child.result();
    if (late) throw new Error(`Cannot measure: it ran for more than ${limitMs} ms`);
    if (code !== 0) throw new Error(`Cannot measure: exit code ${code}, ${firstError(stderr)}`);
    return stdout;
  } finally {
    clearTimeout(limit);
    signal.removeEventListener("abort", kill);
  }
}

function firstError(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  return lines.find((line) => /error/i.test(line)) ?? lines[0] ?? "no output";
}

function lastJson(stdout: string): Figures {
  return JSON.parse(stdout.trimEnd().split("\n").at(-1)!);
}

function now(): number {
  return performance.timeOrigin + performance.now();
}
