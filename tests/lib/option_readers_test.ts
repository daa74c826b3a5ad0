import assert from "node:assert/strict";
import { ConfigError } from "../../lib/errors.ts";
import {
  boolean,
  checked,
  credential,
  integer,
  oneOf,
  pem,
  readUrl,
  text,
} from "../../lib/option_readers.ts";

Deno.test("integer() reads numbers and texts within its bounds, both included", () => {
  const read = integer(2, 10);
  assert.deepEqual([read(2, "k"), read(10, "k"), read("7", "k")], [2, 10, 7]);
  for (const value of [1, 11, 2.5, "", " ", "x", null, undefined, true, [3], NaN]) {
    assert.throws(() => read(value, "k"), ConfigError);
  }
});

Deno.test("an error shows key, what is needed and what was received", () => {
  assert.throws(() => integer(1, 5)("six", "options.qos"), {
    name: "ConfigError",
    key: "options.qos",
    message: 'Cannot configure "options.qos": a whole number from 1 to 5 is needed, received "six"',
  });
  assert.throws(() => oneOf("a", "b")("c", "k"), /"a" or "b" is needed, received "c"/);
  assert.throws(() => text(undefined, "k"), /received undefined/);
});

Deno.test("boolean() reads the usual words, and no others", () => {
  for (const yes of [true, "true", "1", 1]) assert.equal(boolean(yes, "k"), true);
  for (const no of [false, "false", "0", 0]) assert.equal(boolean(no, "k"), false);
  for (const other of ["TRUE", "on", 2, null, {}]) {
    assert.throws(() => boolean(other, "k"), ConfigError);
  }
});

Deno.test("checked() makes the check's error a ConfigError with it as the cause", () => {
  const cause = new TypeError("too short");
  const read = checked(() => {
    throw cause;
  });
  assert.throws(() => read("x", "k"), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.equal(error.message, 'Cannot configure "k": too short');
    assert.equal(error.cause, cause);
    return true;
  });
});

Deno.test("credential() and pem() never show what they were given", () => {
  for (const read of [credential, pem, readUrl]) {
    assert.throws(() => read(["hunter2"], "k"), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.ok(!error.message.includes("hunter2"));
      return true;
    });
  }
});
