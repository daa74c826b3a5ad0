/** How many tests ended in which way. */
export interface TestCounts {
  passed: number;
  failed: number;
  ignored: number;
}

/**
 * Counts the test cases of a JUnit report as `deno test --junit-path` writes it: one `<testcase>` each, with a
 * `<failure>`, an `<error>` or a `<skipped>` inside where it did not pass.
 */
export function countTests(report: string): TestCounts {
  const counts: TestCounts = { passed: 0, failed: 0, ignored: 0 };
  // What a test or an attribute says is escaped in XML, so that a "<" always begins a tag.
  for (const [, inside = ""] of report.matchAll(/<testcase\b[^>]*?(?:\/>|>(.*?)<\/testcase>)/gs)) {
    if (/<(failure|error)\b/.test(inside)) counts.failed++;
    else if (/<skipped\b/.test(inside)) counts.ignored++;
    else counts.passed++;
  }
  return counts;
}
