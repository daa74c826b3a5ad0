import assert from "node:assert/strict";
import { ConfigError, ConfigParams, MqttMessageQueue, type QueueOptions } from "../../mod.ts";
import { check } from "./check.ts";
import { fc } from "./deps.ts";
import { anyText } from "./hostile_messages.ts";

const SECRET = "hunter2-hunter2";
const KEYS = [
  ...["topic", "connection.uri", "connection.protocol", "connection.host", "connection.port"],
  ...["credential.username", "credential.password", "connection.tls.ca", "client_id"],
  ...["options.qos", "options.retain", "options.autosubscribe", "options.serialize_envelope"],
  ...["options.receive_mode", "options.lock_timeout", "options.prefetch", "options.max_deliveries"],
  ...["options.group", "options.keepalive_timeout", "options.dead_letter_prefix"],
];
const NAMES = [
  ...[
    "topic",
    "url",
    "username",
    "password",
    "tls",
    "clientId",
    "protocolVersion",
    "qos",
    "retain",
  ],
  ...["autoSubscribe", "serializeEnvelope", "receiveMode", "lockTimeout", "maxDeliveries", "group"],
  ...["prefetch", "maxBufferedBytes", "overflow", "sessionExpiry", "ackOrder", "__proto__"],
];
const anyKey = fc.oneof(fc.constantFrom(...KEYS), anyText);
const anyValue = fc.oneof(
  fc.anything(),
  anyText,
  fc.integer(),
  fc.webUrl(),
  fc.constant("mqtt://a:b@c"),
);

/** What is given is taken, or refused by a `ConfigError`; `work` gives what is to be read then. */
function takes(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof ConfigError, Deno.inspect(error));
    assert.match(error.message, /^Cannot configure/);
    assert.equal(typeof error.key, "string");
  }
}

Deno.test("configure() takes any object, or refuses it by a ConfigError", async () => {
  await check(
    fc.property(fc.oneof(fc.anything(), fc.dictionary(anyKey, anyValue)), (config) => {
      takes(() => new MqttMessageQueue("fuzz").configure(config as Record<string, unknown>));
    }),
    2_000,
  );
});

Deno.test("fromTuples() takes any list, or refuses it by a ConfigError", async () => {
  await check(
    fc.property(fc.array(fc.oneof(anyKey, anyValue)), (tuples) => {
      takes(() => new MqttMessageQueue("fuzz").configure(ConfigParams.fromTuples(...tuples)));
    }),
    1_000,
  );
});

Deno.test("the typed options are taken, or refused by a ConfigError", async () => {
  await check(
    fc.property(fc.dictionary(fc.constantFrom(...NAMES), anyValue), (options) => {
      takes(() => new MqttMessageQueue("fuzz", options as QueueOptions));
    }),
    2_000,
  );
});

Deno.test("fromString() reads what its pairs say, or refuses it by a ConfigError", async () => {
  const word = anyText.map((text) => text.replaceAll(/[;=\s]/g, ""));
  await check(fc.property(fc.dictionary(word.filter((key) => key !== ""), word), (pairs) => {
    const line = Object.entries(pairs).map(([key, value]) => ` ${key} = ${value} `).join(";");
    const read = [...ConfigParams.fromString(line)];
    assert.deepEqual(
      new Map(read as [string, string][]),
      new Map(
        Object.entries(pairs).map(
          ([key, value]) => [key.trim(), value.trim()],
        ),
      ),
    );
  }));
  await check(fc.property(anyText, (line) => takes(() => ConfigParams.fromString(line))), 1_000);
});

Deno.test("no refusal shows a password", async () => {
  await check(fc.property(fc.dictionary(anyKey, anyValue), fc.webUrl(), (config, url) => {
    const address = new URL(url);
    const queue = new MqttMessageQueue("fuzz");
    const tries: (() => unknown)[] = [
      () => queue.configure({ ...config, "credential.password": SECRET }),
      () => queue.configure({ "connection.uri": `ftp://user:${SECRET}@${address.host}` }),
      () => queue.configure({ "connection.uri": `mqtt://user:${SECRET}@${address.host}:99999` }),
      () => ConfigParams.fromString(`credential.password=a;${SECRET}`),
    ];
    for (const attempt of tries) {
      try {
        attempt();
      } catch (error) {
        assert.ok(!Deno.inspect(error).includes(SECRET), Deno.inspect(error));
      }
    }
    assert.ok(!Deno.inspect(queue).includes(SECRET));
  }));
});
