import assert from "node:assert/strict";
import { ChildProcess } from "../support/child_process.ts";
import { startDeno } from "../support/deno_process.ts";
import { closeConnection } from "../support/close_connection.ts";
import { Mosquitto } from "../support/mosquitto.ts";
import { findExecutable } from "../support/tools.ts";
import { resultWithin } from "./result_within.ts";

const ROOT = new URL("../../", import.meta.url);
const RUN = [
  ...["run", "--quiet", "--no-prompt", "--allow-env", "--allow-net=127.0.0.1"],
  ...["--allow-read=mod.ts,lib", "server/main.ts", "--port", "0"],
];
const FOLDERS = ["/bin", "/usr/bin"];
const IDLE = 1_000;
const SLOW = 200;
const MANY = 120;
const WAIT_MS = 10_000;
const PATIENCE_MS = 500;
const MIB = 1024 * 1024;
const HALF_A_REQUEST = "POST /api/send HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1000\r\n\r\n{";
const encoder = new TextEncoder();

async function portOf(server: ChildProcess): Promise<number> {
  const line = await server.stdout.waitFor(/open http:/);
  return Number(/:(\d+)\//.exec(line)![1]);
}

/** Connects so often and sends the same beginning of a request each time. */
async function connectMany(port: number, count: number, beginning: string): Promise<Deno.Conn[]> {
  const bytes = encoder.encode(beginning.replace("HOST", `127.0.0.1:${port}`));
  const connections: Deno.Conn[] = [];
  await Promise.all(Array.from({ length: count }, async () => {
    try {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      connections.push(connection);
      await connection.write(bytes);
    } catch {
      // Refused: that is an answer too.
    }
  }));
  return connections;
}

/** Milliseconds until the server answered. */
async function timeToAnswer(port: number, path: string, init?: RequestInit): Promise<number> {
  const startedAt = performance.now();
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    ...init,
    signal: AbortSignal.timeout(WAIT_MS),
  });
  await response.text();
  assert.ok(response.ok, `${path}: ${response.status}`);
  return performance.now() - startedAt;
}

/** Whether somebody who has no connection yet is told that the server is ready. */
async function answersStranger(port: number): Promise<boolean> {
  try {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(
      encoder.encode(
        `GET /readyz HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`,
      ),
    );
    const answer = new Uint8Array(12);
    const read = connection.read(answer).catch(() => null);
    if (await resultWithin(PATIENCE_MS, read) === null) return false;
    return new TextDecoder().decode(answer) === "HTTP/1.1 200";
  } catch {
    return false; // Nobody listens, or nobody can be let in.
  }
}

/** A process of another's is open to `--allow-all` alone, and to every shell. */
async function residentBytes(pid: number): Promise<number> {
  const shell = await findExecutable("sh", FOLDERS);
  const { stdout } = await ChildProcess.start(shell!, ["-c", `cat /proc/${pid}/status`]).result();
  return Number(/VmRSS:\s+(\d+) kB/.exec(stdout)![1]) * 1024;
}

Deno.test(`${IDLE} idle and ${SLOW} slow clients keep nobody from being served, and cost little`, async () => {
  await using broker = await Mosquitto.start();
  await using server = startDeno([...RUN, "--broker", broker.url], { cwd: ROOT.pathname });
  const port = await portOf(server);
  await timeToAnswer(port, "/");
  const before = await residentBytes(server.pid);
  const clients = [
    await connectMany(port, IDLE, ""),
    // The feed of a page that is never read.
    await connectMany(port, SLOW / 2, "GET /events HTTP/1.1\r\nHost: HOST\r\n\r\n"),
    // A request whose end never comes.
    await connectMany(port, SLOW / 2, HALF_A_REQUEST),
  ].flat();
  try {
    const body = JSON.stringify({ message: "x".repeat(10_000) });
    for (let sent = 0; sent < 100; sent++) {
      const took = await timeToAnswer(port, "/api/send", { method: "POST", body });
      assert.ok(took < 5_000, `${took} ms`);
    }
    assert.ok(await timeToAnswer(port, "/healthz") < 2_000);
    const grown = await residentBytes(server.pid) - before;
    assert.ok(grown < 300 * MIB, `${Math.round(grown / MIB)} MiB more`);
  } finally {
    for (const client of clients) closeConnection(client);
  }
  assert.equal((await server.stop()).code, 0);
});

Deno.test("a client that goes in the middle of its request is no failure of the server", async () => {
  await using broker = await Mosquitto.start();
  await using server = startDeno([...RUN, "--broker", broker.url], { cwd: ROOT.pathname });
  const port = await portOf(server);
  for (const client of await connectMany(port, 1, HALF_A_REQUEST)) closeConnection(client);
  await timeToAnswer(port, "/healthz");
  const { code, stderr } = await server.stop();
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
});

Deno.test("a server without a file descriptor left serves again when there are some", async () => {
  await using broker = await Mosquitto.start();
  const shell = await findExecutable("sh", FOLDERS);
  await using server = ChildProcess.start(shell!, [
    ...["-c", 'ulimit -n 64 && exec "$0" "$@"', Deno.execPath()],
    ...[...RUN, "--broker", broker.url],
  ], { cwd: ROOT.pathname, env: { NO_COLOR: "1" } });
  const port = await portOf(server);
  await timeToAnswer(port, "/");
  const clients = await connectMany(port, MANY, "");
  assert.ok(
    !await answersStranger(port),
    "there were descriptors for everybody: this shows nothing",
  );
  // Its link to the broker is lost meanwhile, and cannot be made again.
  await broker.restart();
  for (const client of clients) closeConnection(client);
  const ready = async () => {
    for (const late = Date.now() + 2 * WAIT_MS; Date.now() < late;) {
      if (await answersStranger(port)) return true;
    }
    return false;
  };
  assert.ok(await ready(), server.stderr.lines.join("\n"));
  await timeToAnswer(port, "/api/send", { method: "POST", body: '{"message": "back"}' });
  assert.equal((await server.stop()).code, 0);
});
