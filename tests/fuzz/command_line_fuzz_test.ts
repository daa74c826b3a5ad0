import assert from "node:assert/strict";
import {
  nearestWord,
  parseCommandLine,
  quoteWord,
  splitWord,
  unquoteText,
} from "../../server/command_line.ts";
import { check } from "./check.ts";
import { fc } from "./deps.ts";
import { anyText } from "./hostile_messages.ts";

const anyLine = fc.oneof(
  anyText,
  fc.array(
    fc.constantFrom("send", "--", "--qos", "--type=", '"', "'", "\\", " ", "\n", "a", "--x y"),
  )
    .map((parts) => parts.join("")),
);
const optionName = fc.stringMatching(/^[a-z][a-z-]{0,8}$/);

Deno.test("any line is taken apart, or refused by a SyntaxError", async () => {
  await check(
    fc.property(anyLine, fc.array(optionName), (line, flags) => {
      try {
        const { name, options, rest } = parseCommandLine(line, flags);
        assert.ok(!/\s/.test(name));
        assert.ok(line.includes(rest));
        for (const values of options.values()) {
          for (const value of values) assert.equal(typeof value, "string");
        }
      } catch (error) {
        assert.ok(error instanceof SyntaxError, `${error}`);
      }
      splitWord(line);
      unquoteText(line);
      nearestWord(line, ["send", "receive", ""]);
    }),
    3_000,
  );
});

Deno.test("what is quoted comes back as it was", async () => {
  const text = anyText.filter((value) => value !== "");
  await check(
    fc.property(optionName, text, text, (name, value, rest) => {
      const line = `send --${name} ${quoteWord(value)} -- ${rest}`;
      const parsed = parseCommandLine(line);
      assert.deepEqual(parsed.options, new Map([[name, [value]]]));
      assert.equal(parsed.rest, rest.trim());
    }),
    3_000,
  );
});
