import assert from "node:assert/strict";

const ROOT = new URL("../", import.meta.url);
/** The name is the first argument of a test, of a case of a contract, or of a step. */
const NAME =
  /(?:\bDeno\.test|\bt\.step|(?<![.\w$])test)\(\s*(?:"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`)/g;
/** The first cell of a row that is no promise: a header, or the line under it. */
const NO_PROMISE = /^\| (-+|promise|what happens|broker) +\|/;

Deno.test("docs/guarantees.md makes no promise without a test", async () => {
  const names = await namesUnder(new URL("tests/", ROOT));
  const page = await Deno.readTextFile(new URL("docs/guarantees.md", ROOT));
  const promises = page.split("\n").filter((line) =>
    line.startsWith("| ") && !NO_PROMISE.test(line)
  );
  assert.ok(promises.length > 30);
  for (const line of promises) {
    const shown = [...line.split(" | ").at(-1)!.matchAll(/"([^"]+)"/g)].map(([, name]) => name);
    assert.ok(shown.length > 0, `no test for: ${line}`);
    for (const name of shown) {
      const exists = names.some((each) => each.startsWith(name));
      assert.ok(exists, `there is no test whose name begins with "${name}"`);
    }
  }
});

Deno.test("only tests, cases of contracts and steps have names", () => {
  const code = `
    // Deno.test("a comment", () => {});
    /** Deno.test("a doc comment", () => {}); */
    const text = "a text";
    /a/.test("a subject");
    protest("a neighbour");
    Deno.test("a test", () => {});
    Deno.test(\`a test of \${what}\`, () => {});
    test(
      "a case",
      run,
    );
    await t.step("a \\"step\\"", run);
  `;
  assert.deepEqual(namesIn(code), ["a test", "a test of ${what}", "a case", 'a \\"step\\"']);
});

async function namesUnder(folder: URL): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) names.push(...await namesUnder(new URL(`${name}/`, folder)));
    else if (name.endsWith(".ts")) {
      names.push(...namesIn(await Deno.readTextFile(new URL(name, folder))));
    }
  }
  return names;
}

function namesIn(code: string): string[] {
  const withoutComments = code.replace(/^\s*(\/\*[^]*?\*\/|\/\/.*)$/gm, "");
  return [...withoutComments.matchAll(NAME)].map(([, text, template]) => text ?? template);
}
