/**
 * Runs all tests: `deno task test`. Installs what they need first, shows their output as it comes, and ends with the line
 * `N passed, N failed`. Arguments go to `deno test` (such as `--filter` or a file) and leave the documentation out.
 */

import { isFree } from "./support/free_port.ts";
import { countTests, type TestCounts } from "./support/junit.ts";
import { Mosquitto } from "./support/mosquitto.ts";
import { provisionTools, thisHost } from "./support/provision.ts";
import { findExecutable, findProgram, type ToolName, TOOLS } from "./support/tools.ts";

const ROOT = new URL("../", import.meta.url);
/** A browser, and what another process weighs, take all permissions. */
const OPEN_TESTS = ["tests/browser", "tests/server/slow_reader_test.ts"];
/** What breaks things on purpose, and takes its time. */
const FAULT_TESTS = ["tests/faults", "tests/fuzz"];
const DOCUMENTED_PORT = 1883;
/** A hanging test must end as a failure. */
const LIMIT_MS = 8 * 60_000;
const HOSTS = "127.0.0.1,localhost,[::1],0.0.0.0";

async function main(args: readonly string[]): Promise<number> {
  await provisionTools(thisHost());
  // Playwright looks into /proc, which is open to --allow-all alone.
  if (args.length > 0) return summarize([await runTests(["--allow-all", ...args])]);
  const permissions = [
    ...["--allow-env", "--allow-read", "--allow-sys", `--allow-net=${HOSTS}`],
    `--allow-write=${Deno.env.get("TMPDIR") ?? "/tmp"}`,
    `--allow-run=${(await programs()).join(",")}`,
  ];
  return summarize([
    await runTests([
      ...permissions,
      `--ignore=${[...OPEN_TESTS, ...FAULT_TESTS].join(",")}`,
      "tests",
    ]),
    await runTests([...permissions, ...FAULT_TESTS]),
    await runTests(["--allow-all", ...OPEN_TESTS]),
    await runDocumentation(),
  ]);
}

/** The examples of the documentation speak to a broker on the usual port. */
async function runDocumentation(): Promise<TestCounts> {
  await using _broker = isFree(DOCUMENTED_PORT)
    ? await Mosquitto.start({ port: DOCUMENTED_PORT })
    : null;
  const permissions = ["--allow-env", `--allow-net=${HOSTS}`];
  return await runTests(["--doc", "--permit-no-files", ...permissions, ...await documents()]);
}

async function runTests(args: readonly string[]): Promise<TestCounts> {
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  try {
    const frozen = Deno.env.has("CI") ? ["--frozen"] : [];
    const child = new Deno.Command(Deno.execPath(), {
      args: ["test", ...frozen, `--junit-path=${report}`, ...args],
      cwd: ROOT,
      stdin: "null",
    }).spawn();
    const { success } = await ended(child);
    const counts = countTests(await Deno.readTextFile(report));
    // A file that cannot be loaded, or an error outside of every test, is in no report.
    if (!success && counts.failed === 0) counts.failed = 1;
    return counts;
  } finally {
    await Deno.remove(report);
  }
}

/** Waits for the tests. Whoever stops the runner stops them, and whatever would come after them. */
async function ended(child: Deno.ChildProcess): Promise<Deno.CommandStatus> {
  let stopped = false;
  const stop = () => {
    stopped = true;
    child.kill("SIGTERM");
  };
  const limit = setTimeout(() => {
    console.error(`Cannot wait any longer: the tests have run for ${LIMIT_MS / 60_000} minutes`);
    child.kill("SIGKILL");
  }, LIMIT_MS);
  Deno.addSignalListener("SIGTERM", stop);
  Deno.addSignalListener("SIGINT", stop);
  try {
    const status = await child.status;
    if (stopped) throw new Error("Cannot finish the tests: they were stopped");
    return status;
  } finally {
    clearTimeout(limit);
    Deno.removeSignalListener("SIGTERM", stop);
    Deno.removeSignalListener("SIGINT", stop);
  }
}

function summarize(all: readonly TestCounts[]): number {
  const sum = (key: keyof TestCounts) => all.reduce((total, counts) => total + counts[key], 0);
  const [passed, failed, ignored] = [sum("passed"), sum("failed"), sum("ignored")];
  if (ignored > 0) console.log(`${ignored} ignored`);
  if (passed + failed === 0) console.error("Cannot call this a success: no test was run");
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

/**
 * What the tests may start: Deno itself, the brokers, their clients, the browser, a shell that sets
 * limits, and what makes network namespaces.
 */
async function programs(): Promise<string[]> {
  const found = await Promise.all([
    ...(Object.keys(TOOLS) as ToolName[]).map((name) => findProgram(name)),
    findExecutable("sh", ["/bin"]),
    findExecutable("unshare", ["/usr/bin"]),
  ]);
  return [Deno.execPath(), ...found.filter((path) => path !== null)];
}

async function documents(): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name } of Deno.readDir(ROOT)) {
    if (["README.md", "mod.ts", "lib"].includes(name)) paths.push(name);
  }
  return paths.sort();
}

if (import.meta.main) {
  try {
    Deno.exitCode = await main(Deno.args);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    console.log("0 passed, 1 failed");
    Deno.exitCode = 1;
  }
}
