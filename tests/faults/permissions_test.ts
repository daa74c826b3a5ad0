import assert from "node:assert/strict";
import { startDeno } from "../support/deno_process.ts";
import { freePort } from "../support/free_port.ts";
import { Mosquitto } from "../support/mosquitto.ts";

const ROOT = new URL("../../", import.meta.url);
/** What a person runs; the rest is for who works on the project. */
const FOR_USERS = ["start", "send", "receive", "peek", "count", "listen", "dead"];
/** Tasks that drive a browser, which looks into places that are open to `--allow-all` alone. */
const WITH_BROWSER = ["bench:page", "screenshots"];

interface Task {
  command: string;
}

const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT))) as {
  tasks: Record<string, Task>;
};

/** The words of a task's command, `deno` left out. */
function wordsOf(task: string): string[] {
  return tasks[task].command.split(" ").slice(1);
}

function withoutPermission(task: string, flag: string): string[] {
  const [run, ...words] = wordsOf(task).filter((word) => word.split("=")[0] !== flag);
  return [run, "--no-prompt", ...words];
}

Deno.test("no task and no line of the README grants everything", async () => {
  for (const [name, { command }] of Object.entries(tasks)) {
    if (WITH_BROWSER.includes(name)) continue;
    assert.doesNotMatch(command, /--allow-all|\s-A\b/, name);
  }
  const readme = await Deno.readTextFile(new URL("README.md", ROOT));
  assert.doesNotMatch(readme, /deno [^`\n]*(--allow-all|\s-A\b)/);
});

for (const task of FOR_USERS) {
  const flags = wordsOf(task).filter((word) => word.startsWith("--allow-"))
    .map((word) => word.split("=")[0]);
  for (const flag of flags) {
    if (flag === "--allow-read") continue; // What reads a file only now and then has tests below.
    Deno.test(`task ${task} without ${flag} ends with a sentence that names it`, async () => {
      const broker = `mqtt://127.0.0.1:${freePort()}`;
      const port = task === "start" ? ["--port", `${freePort()}`] : [];
      const body = task === "send" ? ["hello"] : [];
      await using process = startDeno(
        [...withoutPermission(task, flag), ...port, "--broker", broker, "--topic", "t", ...body],
        { cwd: ROOT.pathname },
      );
      const { code, stdout, stderr } = await process.result();
      assert.equal(code, 1, stdout);
      assert.ok(stderr.includes(flag), stderr);
      // Without --allow-env the packages do not even load: that is Deno's own sentence.
      if (flag !== "--allow-env") assert.equal(stderr.trim().split("\n").length, 1, stderr);
    });
  }
}

Deno.test("task send names --allow-read where it may not read the file", async () => {
  await using broker = await Mosquitto.start();
  await using process = startDeno([
    ...withoutPermission("send", "--allow-read"),
    ...["--broker", broker.url, "--topic", "t", "--file", "README.md"],
  ], { cwd: ROOT.pathname });
  const { code, stderr } = await process.result();
  assert.equal(code, 1);
  assert.match(stderr, /^Cannot send: .*--allow-read/);
});

Deno.test("the server that may not read its modules goes on, and its log names what it lacks", async () => {
  await using server = startDeno([
    ...withoutPermission("start", "--allow-read"),
    ...["--port", "0", "--broker", `mqtt://127.0.0.1:${freePort()}`],
  ], { cwd: ROOT.pathname });
  const url = /http:\S+/.exec(await server.stdout.waitFor(/open http:/))![0];
  for (const [path, status] of [["mod.ts", 500], ["healthz", 200]] as const) {
    const response = await fetch(`${url}${path}`);
    await response.body?.cancel();
    assert.equal(response.status, status);
  }
  await server.stderr.waitFor("--allow-read");
});

Deno.test("the page says which permission the link to the broker lacks", async () => {
  const broker = freePort();
  const port = freePort();
  const args = withoutPermission("start", "--allow-net");
  args.splice(1, 0, `--allow-net=127.0.0.1:${port}`);
  await using server = startDeno([
    ...args,
    ...["--port", `${port}`, "--broker", `mqtt://127.0.0.1:${broker}`],
  ], { cwd: ROOT.pathname });
  await server.stdout.waitFor(/open http:/);
  const ready = await fetch(`http://127.0.0.1:${port}/readyz`);
  assert.equal(ready.status, 503);
  await ready.body?.cancel();
  const page = await (await fetch(`http://127.0.0.1:${port}/`)).text();
  assert.ok(page.includes(`--allow-net=127.0.0.1:${broker}`), page.replaceAll(/<[^>]*>/g, " "));
});
