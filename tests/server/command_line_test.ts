import assert from "node:assert/strict";
import {
  nearestWord,
  parseCommandLine,
  quoteWord,
  unquoteText,
} from "../../server/command_line.ts";

Deno.test("parseCommandLine() leaves the text exactly as it stands", () => {
  const line = parseCommandLine(`send --type order --correlation-id="a b"  {"a":  "x --y"}`);
  assert.equal(line.name, "send");
  assert.deepEqual([...line.options], [["type", ["order"]], ["correlation-id", ["a b"]]]);
  assert.equal(line.rest, `{"a":  "x --y"}`);
});

Deno.test("parseCommandLine() keeps every value of an option, and takes none for a flag", () => {
  const line = parseCommandLine("send --property a=1 --retain --property b=2 text", ["retain"]);
  assert.deepEqual([...line.options], [["property", ["a=1", "b=2"]], ["retain", [""]]]);
  assert.equal(line.rest, "text");
});

Deno.test("parseCommandLine() knows options with a digit in their name", () => {
  const line = parseCommandLine("send --base64 /w==", ["base64"]);
  assert.deepEqual([...line.options], [["base64", [""]]]);
  assert.equal(line.rest, "/w==");
});

Deno.test("parseCommandLine() ends the options at two dashes", () => {
  const line = parseCommandLine("send -- --type is text");
  assert.equal(line.options.size, 0);
  assert.equal(line.rest, "--type is text");
});

Deno.test("parseCommandLine() wants a value for each option", () => {
  assert.throws(() => parseCommandLine("send --type"), SyntaxError);
});

Deno.test("parseCommandLine() reads the command without regard to case and to spaces around it", () => {
  assert.equal(parseCommandLine("  PEEK  3 ").name, "peek");
  assert.equal(parseCommandLine("  PEEK  3 ").rest, "3");
});

Deno.test("quoteWord() writes what parseCommandLine() reads back", () => {
  for (const text of ["plain", "two words", `a"b`, "back\\slash", "it's", "--dashes", ""]) {
    const line = parseCommandLine(`send --type ${quoteWord(text)} rest`);
    assert.deepEqual(line.options.get("type"), [text]);
    assert.equal(line.rest, "rest");
  }
});

Deno.test("unquoteText() takes off one pair of quotes around the whole and nothing else", () => {
  assert.equal(unquoteText(`"two\\nlines"`), "two\nlines");
  assert.equal(unquoteText(`'as it stands\\n'`), "as it stands\\n");
  assert.equal(unquoteText(`"a" and "b"`), `"a" and "b"`);
  assert.equal(unquoteText(`{"a": "b"}`), `{"a": "b"}`);
});

Deno.test("nearestWord() finds the word that was meant and none where none is near", () => {
  const words = ["send", "receive", "peek", "count", "status", "clear", "help"];
  assert.equal(nearestWord("sned", words), "send");
  assert.equal(nearestWord("recieve", words), "receive");
  assert.equal(nearestWord("stat", words), "status");
  assert.equal(nearestWord("xyzzyxyz", words), null);
  assert.equal(nearestWord("x".repeat(100_000), words), null);
});
