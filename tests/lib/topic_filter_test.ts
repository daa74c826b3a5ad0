import assert from "node:assert/strict";
import {
  assertGroupName,
  assertTopicFilter,
  assertTopicName,
  isShared,
  isTopicFilter,
  sharedFilter,
} from "../../lib/topic_filter.ts";

for (const name of ["a", "/", "a//b", "$SYS/uptime", " ", "å/\u{1F600}", "$share", "*"]) {
  Deno.test(`${JSON.stringify(name)} is a topic name and a filter`, () => {
    assertTopicName(name);
    assertTopicFilter(name);
    assert.equal(isTopicFilter(name), false);
  });
}

for (const filter of ["+", "#", "a/+", "+/+/b", "a/#", "/#", "$share/g/a", "$share/g/#"]) {
  Deno.test(`${filter} is a filter and no topic name`, () => {
    assertTopicFilter(filter);
    assert.equal(isTopicFilter(filter), true);
    assert.throws(() => assertTopicName(filter), (error) => {
      assert.ok(error instanceof TypeError);
      assert.ok(error.message.includes(JSON.stringify(filter)));
      return true;
    });
  });
}

for (const filter of ["a+", "+a/b", "a#", "#/a", "a/#/b", "##", "++", "$share/g/a#", "a/b+/c"]) {
  Deno.test(`${filter} has a wildcard where none can stand`, () => {
    assert.throws(() => assertTopicFilter(filter), /must fill a level/);
  });
}

for (const filter of ["$share/", "$share/g", "$share/g/"]) {
  Deno.test(`${filter} is a shared subscription without a filter`, () => {
    assert.throws(() => assertTopicFilter(filter), /\$share\/group\/filter/);
  });
}

for (const group of ["", "a/b", "+", "a#"]) {
  Deno.test(`${JSON.stringify(group)} is no group name`, () => {
    assert.throws(() => assertGroupName(group), TypeError);
  });
}

Deno.test("the group of a shared subscription is checked", () => {
  assert.throws(() => assertTopicFilter("$share//a"), /group name/);
  assert.throws(() => assertTopicFilter("$share/g+/a"), /group name/);
});

for (
  const [what, value] of [
    ["an empty string", ""],
    ["a NUL", "a\0b"],
    ["half a surrogate pair", "a\ud800"],
    ["more than 65535 bytes", "å".repeat(32_768)],
    ["a number", 7],
    ["null", null],
    ["undefined", undefined],
  ] as [string, string][]
) {
  Deno.test(`${what} is neither a topic name nor a filter`, () => {
    assert.throws(() => assertTopicName(value), TypeError);
    assert.throws(() => assertTopicFilter(value), TypeError);
  });
}

Deno.test("65535 bytes are not too many", () => {
  assertTopicName("x".repeat(65_535));
  assertTopicFilter("x".repeat(65_535));
});

Deno.test("sharedFilter() makes a shared subscription", () => {
  const filter = sharedFilter("workers", "orders/+");
  assert.equal(filter, "$share/workers/orders/+");
  assert.equal(isShared(filter), true);
  assert.equal(isShared("$shared/x"), false);
  assertTopicFilter(filter);
});
