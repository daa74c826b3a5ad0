import assert from "node:assert/strict";

const ROOT = new URL("../", import.meta.url);

async function sources(folder: URL): Promise<string> {
  let all = "";
  for await (const entry of Deno.readDir(folder)) {
    if (entry.isDirectory) all += await sources(new URL(`${entry.name}/`, folder));
    else if (entry.name.endsWith(".ts")) {
      all += await Deno.readTextFile(new URL(entry.name, folder));
    }
  }
  return all;
}

Deno.test("docs/guarantees.md makes no promise without a test", async () => {
  const tests = (await sources(new URL("tests/", ROOT))).replaceAll("${MESSAGES}", "10,000");
  const page = await Deno.readTextFile(new URL("docs/guarantees.md", ROOT));
  const promises = page.split("\n## What is not promised")[0].split("\n")
    .filter((line) => line.startsWith("| ") && !/^\| (---|promise|what happens|broker)/.test(line));
  const [windows, shown] = [/^\| (Mosquitto|the embedded|RabbitMQ|NATS)/, /"([^"]+)"/g];
  for (const line of promises.filter((each) => !windows.test(each))) {
    const cells = line.split(" | ");
    const names = [...cells.at(-1)!.matchAll(shown)].map(([, name]) => name);
    assert.ok(names.length > 0, `no test for: ${line}`);
    for (const name of names) {
      const written = name.replaceAll("${MESSAGES}", "10,000");
      const quoted = ['"', "`"].some((quote) => tests.includes(quote + written));
      assert.ok(quoted, `there is no test whose name begins with "${name}"`);
    }
  }
});
