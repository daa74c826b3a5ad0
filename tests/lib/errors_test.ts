import assert from "node:assert/strict";
import {
  BatchSendError,
  ConfigError,
  ConnectionError,
  LockLostError,
  NotSupportedError,
  QueueClosedError,
  QueueFullError,
  TimeoutError,
  toError,
} from "../../lib/errors.ts";
import { MessageEnvelope } from "../../lib/message_envelope.ts";

const cause = new Error("the reason");

for (
  const [name, error, fields] of [
    ["ConfigError", new ConfigError("what", "options.qos", { cause }), { key: "options.qos" }],
    [
      "ConnectionError",
      new ConnectionError("what", "mqtt://broker", 135, { cause }),
      { url: "mqtt://broker", reasonCode: 135 },
    ],
    ["QueueClosedError", new QueueClosedError("what", { cause }), {}],
    ["QueueFullError", new QueueFullError("what", 10, { cause }), { maxPending: 10 }],
    ["LockLostError", new LockLostError("what", "m1", { cause }), { messageId: "m1" }],
    ["NotSupportedError", new NotSupportedError("what", { cause }), {}],
    ["TimeoutError", new TimeoutError("what", 500, { cause }), { timeoutMs: 500 }],
  ] as [string, Error, Record<string, unknown>][]
) {
  Deno.test(`${name} has its name, message, cause and fields`, () => {
    assert.ok(error instanceof Error);
    assert.equal(error.name, name);
    assert.equal(error.message, "what");
    assert.equal(error.cause, cause);
    assert.equal(`${error}`, `${name}: what`);
    const given = error as unknown as Record<string, unknown>;
    for (const [field, value] of Object.entries(fields)) assert.equal(given[field], value);
  });
}

Deno.test("ConnectionError shows an address without what may be secret in it", () => {
  const url = "wss://bob:hunter2@broker/mqtt?token=hunter2#hunter2";
  const error = new ConnectionError(`Cannot connect to ${url}: it is away`, url, null);
  assert.equal(error.url, "wss://broker/mqtt");
  assert.equal(error.message, "Cannot connect to wss://broker/mqtt: it is away");
});

Deno.test("BatchSendError counts, and has the first failure as its cause", () => {
  const envelope = new MessageEnvelope();
  const failures = [{ index: 1, envelope, error: cause }, {
    index: 4,
    envelope,
    error: new Error("another"),
  }];
  const error = new BatchSendError(failures, 5);
  assert.equal(error.message, "Cannot send 2 of 5 messages: the reason");
  assert.equal(error.cause, cause);
  assert.deepEqual(error.failures.map(({ index }) => index), [1, 4]);
});

Deno.test("toError() leaves errors alone and wraps the rest", () => {
  assert.equal(toError(cause), cause);
  assert.equal(toError("text").message, "text");
  assert.equal(toError(undefined).message, "undefined");
});
