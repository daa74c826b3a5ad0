import assert from "node:assert/strict";
import { ConfigParams } from "../../lib/config_params.ts";
import { ConfigError } from "../../lib/errors.ts";

Deno.test("fromTuples() takes keys and values in turn", () => {
  const params = ConfigParams.fromTuples("topic", "orders", "options.qos", 1);
  assert.deepEqual([...params], [["topic", "orders"], ["options.qos", 1]]);
  assert.equal(params.get("options.qos"), 1);
  assert.equal(params.get("other"), undefined);
});

Deno.test("of two tuples with the same key the later one counts", () => {
  assert.equal(ConfigParams.fromTuples("topic", "a", "topic", "b").get("topic"), "b");
});

Deno.test("fromTuples() names a key without a value", () => {
  assert.throws(
    () => ConfigParams.fromTuples("topic", "orders", "client_id"),
    (error) => error instanceof ConfigError && error.key === "client_id",
  );
});

Deno.test("fromTuples() refuses a key that is none", () => {
  assert.throws(() => ConfigParams.fromTuples("topic", "a", 7, "b"), /argument 3 .* received 7/);
  assert.throws(() => ConfigParams.fromTuples("", "a"), ConfigError);
});

Deno.test("fromTuples() without any is empty", () => {
  assert.deepEqual([...ConfigParams.fromTuples()], []);
});

Deno.test("fromObject() joins nested keys with dots", () => {
  const params = ConfigParams.fromObject({
    topic: "orders",
    "options.qos": 2,
    options: { retain: true },
    connection: { tls: { ca: Uint8Array.of(1) } },
  });
  assert.deepEqual([...params], [
    ["topic", "orders"],
    ["options.qos", 2],
    ["options.retain", true],
    ["connection.tls.ca", Uint8Array.of(1)],
  ]);
});

Deno.test("fromObject() leaves lists, functions and null as they are", () => {
  const list = [1];
  const ask = () => "secret";
  const params = ConfigParams.fromObject({ a: list, b: { c: ask, d: null } });
  assert.deepEqual([...params], [["a", list], ["b.c", ask], ["b.d", null]]);
});

Deno.test("fromObject() with a key named __proto__ does not reach the prototype", () => {
  const params = ConfigParams.fromObject(JSON.parse('{"__proto__":{"polluted":1}}'));
  assert.equal(params.get("__proto__.polluted"), 1);
  assert.equal(({} as { polluted?: number }).polluted, undefined);
});

Deno.test("fromString() reads pairs between semicolons and drops blanks", () => {
  const params = ConfigParams.fromString(" topic = orders ; options.qos=2;;");
  assert.deepEqual([...params], [["topic", "orders"], ["options.qos", "2"]]);
});

Deno.test("fromString() keeps further equals signs and empty values", () => {
  const params = ConfigParams.fromString("credential.password=a=b=;client_id=");
  assert.equal(params.get("credential.password"), "a=b=");
  assert.equal(params.get("client_id"), "");
});

for (const line of ["topic", "a=b;topic", "=orders", " = x"]) {
  Deno.test(`fromString() refuses ${JSON.stringify(line)}`, () => {
    assert.throws(() => ConfigParams.fromString(line), ConfigError);
  });
}

for (const wrong of [null, 5, undefined] as unknown as string[]) {
  Deno.test(`what is neither text nor an object is refused by name, such as ${wrong}`, () => {
    assert.throws(() => ConfigParams.fromString(wrong), ConfigError);
    assert.throws(() => ConfigParams.fromObject(wrong as never), ConfigError);
  });
}
