import assert from "node:assert/strict";
import { closedWithoutReason, disconnected, explainFailure } from "../../lib/link_errors.ts";

const url = "wss://broker/mqtt?token=hunter2";

Deno.test("no error of a link shows the query of its address", () => {
  const link = { url, connectTimeout: 50 };
  for (
    const error of [
      explainFailure(new Error("connack timeout"), "connect to", link),
      explainFailure(new Error("refused"), "connect to", link),
      disconnected(142, url),
      closedWithoutReason("keep the link to", url, "worker"),
    ]
  ) {
    assert.match(error.message, /^Cannot [\w ]+ wss:\/\/broker\/mqtt: /);
    assert.doesNotMatch(Deno.inspect(error), /hunter2/);
  }
});
