import assert from "node:assert/strict";
import {
  assertGroupName,
  assertTopicFilter,
  assertTopicName,
  isTopicFilter,
  sharedFilter,
} from "../../lib/topic_filter.ts";
import { check } from "./check.ts";
import { fc } from "./deps.ts";
import { anyText } from "./hostile_messages.ts";

/** Text with what matters in a topic. */
const topicLike = fc.oneof(
  anyText,
  fc.array(fc.constantFrom("+", "#", "/", "$share", "a", "", "é", "\0", "\ud800"), { maxLength: 8 })
    .map((parts) => parts.join("")),
  fc.array(fc.constantFrom("+", "#", "a", "", "$share"), { maxLength: 6 }).map((levels) =>
    levels.join("/")
  ),
);

function accepts(judge: (text: string) => void, text: string): boolean {
  try {
    judge(text);
    return true;
  } catch (error) {
    assert.ok(error instanceof TypeError, `${error}`);
    return false;
  }
}

Deno.test("a topic name that is taken has no wildcard, no NUL, and is a filter too", async () => {
  await check(
    fc.property(topicLike, (text) => {
      if (!accepts(assertTopicName, text)) return;
      assert.ok(!/[+#\0]/.test(text) && text.isWellFormed() && text !== "");
      assert.ok(!isTopicFilter(text));
      assert.ok(accepts(assertTopicFilter, text));
    }),
    3_000,
  );
});

Deno.test("a topic filter that is taken has each wildcard in a level of its own", async () => {
  await check(
    fc.property(topicLike, (text) => {
      if (!accepts(assertTopicFilter, text)) return;
      const levels = text.replace(/^\$share\/[^/]*\//, "").split("/");
      levels.forEach((level, index) => {
        assert.ok(!/[+#]/.test(level) || level.length === 1, text);
        assert.ok(level !== "#" || index === levels.length - 1, text);
      });
    }),
    3_000,
  );
});

Deno.test("a group that is taken makes every filter a shared one", async () => {
  await check(
    fc.property(topicLike, topicLike, (group, filter) => {
      if (filter.startsWith("$share/") || !accepts(assertGroupName, group)) return;
      assert.equal(
        accepts(assertTopicFilter, sharedFilter(group, filter)),
        accepts(assertTopicFilter, filter),
      );
    }),
    3_000,
  );
});
