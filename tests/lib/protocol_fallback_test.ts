import assert from "node:assert/strict";
import { ConnectionError, TimeoutError } from "../../lib/errors.ts";
import { connectWithFallback } from "../../lib/protocol_fallback.ts";

/** Tries the versions; the first attempt throws what is given. */
async function versionsTried(version: "auto" | 4 | 5, thrown?: unknown): Promise<number[]> {
  const tried: number[] = [];
  await connectWithFallback(version, (each) => {
    tried.push(each);
    return tried.length === 1 && thrown !== undefined ? Promise.reject(thrown) : Promise.resolve();
  });
  return tried;
}

function refusal(reasonCode: number | null, cause?: unknown): ConnectionError {
  return new ConnectionError(
    "no",
    "mqtt://broker",
    reasonCode,
    cause === undefined ? {} : { cause },
  );
}

Deno.test("auto is content with MQTT 5", async () => {
  assert.deepEqual(await versionsTried("auto"), [5]);
});

Deno.test("the version that is asked for is the only one tried", async () => {
  assert.deepEqual(await versionsTried(4), [4]);
  assert.deepEqual(await versionsTried(5), [5]);
  await assert.rejects(versionsTried(5, refusal(1)), ConnectionError);
});

for (
  const [what, error] of [
    ["refuses the version in its own words", refusal(1)],
    ["refuses the version in those of MQTT 5", refusal(132)],
    ["closes without a word", refusal(null)],
    ["resets the connection", refusal(null, { code: "ECONNRESET" })],
    ["breaks the pipe", refusal(null, { code: "EPIPE" })],
  ] as [string, Error][]
) {
  Deno.test(`auto tries 3.1.1 where the broker ${what}`, async () => {
    assert.deepEqual(await versionsTried("auto", error), [5, 4]);
  });
}

for (
  const [what, error] of [
    ["the password is wrong", refusal(134)],
    ["access is denied, in the words of 3.1.1", refusal(5)],
    ["nobody listens there", refusal(null, { code: "ECONNREFUSED" })],
    ["the broker does not answer", new TimeoutError("late", 10)],
    ["the caller has had enough", new DOMException("aborted", "AbortError")],
  ] as [string, Error][]
) {
  Deno.test(`auto gives up where ${what}`, async () => {
    await assert.rejects(versionsTried("auto", error), (thrown) => thrown === error);
  });
}

Deno.test("the error of the last attempt is the one that is told", async () => {
  const last = refusal(135);
  await assert.rejects(
    connectWithFallback("auto", (version) => Promise.reject(version === 5 ? refusal(1) : last)),
    (thrown) => thrown === last,
  );
});
