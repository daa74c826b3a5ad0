import assert from "node:assert/strict";
import { countTests } from "./junit.ts";

function report(...cases: string[]): string {
  return `<?xml version="1.0"?><testsuites tests="9"><testsuite tests="9">\n${
    cases.join("\n")
  }\n</testsuite></testsuites>`;
}

Deno.test("countTests() counts a case without content as passed", () => {
  const xml = report(`<testcase name="a" time="0">\n</testcase>`, `<testcase name="b" time="0"/>`);
  assert.deepEqual(countTests(xml), { passed: 2, failed: 0, ignored: 0 });
});

Deno.test("countTests() counts failures, errors and skipped cases apart", () => {
  const xml = report(
    `<testcase name="a"><failure message="no">at line 1</failure></testcase>`,
    `<testcase name="b"><error message="no"/></testcase>`,
    `<testcase name="c"><skipped/></testcase>`,
    `<testcase name="d"></testcase>`,
  );
  assert.deepEqual(countTests(xml), { passed: 1, failed: 2, ignored: 1 });
});

Deno.test("countTests() is not misled by a name or message that looks like a tag", () => {
  const xml = report(
    `<testcase name="&lt;testcase&gt; &lt;failure/&gt;"></testcase>`,
    `<testcase name="x"><failure message="&lt;/testcase&gt;&lt;testcase/&gt;">!</failure></testcase>`,
  );
  assert.deepEqual(countTests(xml), { passed: 1, failed: 1, ignored: 0 });
});

Deno.test("countTests() counts nothing in an empty report", () => {
  assert.deepEqual(countTests(report()), { passed: 0, failed: 0, ignored: 0 });
});
