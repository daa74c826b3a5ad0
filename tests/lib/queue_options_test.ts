import assert from "node:assert/strict";
import { ConfigParams } from "../../lib/config_params.ts";
import { ConfigError } from "../../lib/errors.ts";
import {
  type QueueOptions,
  readConfigParams,
  readTypedOptions,
  type ResolvedOptions,
  resolveOptions,
} from "../../lib/queue_options.ts";

function typed(options: unknown): ResolvedOptions {
  return resolveOptions(readTypedOptions(options as QueueOptions));
}

function dotted(config: Record<string, unknown>): ResolvedOptions {
  return resolveOptions(readConfigParams(ConfigParams.fromObject(config)));
}

function assertNames(key: string, configure: () => unknown): void {
  assert.throws(configure, (error) => {
    assert.ok(error instanceof ConfigError, `${error}`);
    assert.equal(error.key, key);
    assert.ok(error.message.includes(`"${key}"`), error.message);
    return true;
  });
}

interface Row {
  name: keyof QueueOptions;
  key: string;
  byDefault: unknown;
  good: unknown[];
  /** What is given as text and the value that it stands for. */
  text?: [string, unknown][];
  bad: unknown[];
}

const MAX_TIMER_MS = 2_147_483_647;
const MAX_SECONDS = 4_294_967_295;
/** The sending link puts "-send" behind it. */
const MAX_CLIENT_ID_BYTES = 65_535 - 5;

function duration(name: keyof QueueOptions, key: string, byDefault: number): Row {
  return {
    name,
    key,
    byDefault,
    good: [1, MAX_TIMER_MS],
    text: [["500", 500]],
    bad: [0, -1, 1.5, NaN, Infinity, MAX_TIMER_MS + 1, "", " ", "1s", true, {}],
  };
}

function flag(name: keyof QueueOptions, key: string, byDefault: boolean | undefined): Row {
  return {
    name,
    key,
    byDefault,
    good: [true, false],
    text: [["true", true], ["false", false], ["1", true], ["0", false]],
    bad: ["yes", "", 2, {}],
  };
}

/** Each row of the settings' table but those of the address, the credentials and TLS. */
const ROWS: Row[] = [
  {
    name: "topic",
    key: "topic",
    byDefault: undefined,
    good: ["a/b", "a/+", "#", "$share/g/a"],
    bad: ["", 7, "a+", "#/a", "a\0", "$share/g"],
  },
  {
    name: "clientId",
    key: "client_id",
    byDefault: undefined,
    good: ["worker", "å b/c", "x".repeat(MAX_CLIENT_ID_BYTES)],
    bad: [
      ...["", 7, "a\0", "bell\x07", "\x85", "\ud800", "\uffff"],
      ...["x".repeat(MAX_CLIENT_ID_BYTES + 1), "å".repeat(MAX_CLIENT_ID_BYTES / 2 + 1)],
    ],
  },
  {
    name: "protocolVersion",
    key: "options.protocol_version",
    byDefault: "auto",
    good: ["auto", 4, 5],
    text: [["4", 4], ["5", 5], ["3.1.1", 4]],
    bad: [3, 6, "", "latest", true],
  },
  {
    name: "qos",
    key: "options.qos",
    byDefault: 1,
    good: [0, 1, 2],
    text: [["2", 2]],
    bad: [-1, 3, 0.5, "", "one", true, NaN],
  },
  flag("retain", "options.retain", false),
  flag("autoSubscribe", "options.autosubscribe", false),
  flag("autoSubscribe", "options.auto_subscribe", false),
  flag("serializeEnvelope", "options.serialize_envelope", undefined),
  {
    name: "receiveMode",
    key: "options.receive_mode",
    byDefault: "receiveAndDelete",
    good: ["receiveAndDelete", "peekLock"],
    bad: ["", "peeklock", 1],
  },
  duration("lockTimeout", "options.lock_timeout", 30_000),
  {
    name: "maxDeliveries",
    key: "options.max_deliveries",
    byDefault: 10,
    good: [1, 1_000],
    text: [["3", 3]],
    bad: [0, -1, 1.5, "many"],
  },
  {
    name: "deadLetterPrefix",
    key: "options.dead_letter_prefix",
    byDefault: "dead-letter",
    good: ["dead", "a/b"],
    bad: ["", "a/#", "+", 7],
  },
  {
    name: "group",
    key: "options.group",
    byDefault: undefined,
    good: ["workers"],
    bad: ["", "a/b", "+", "#", 7],
  },
  {
    name: "prefetch",
    key: "options.prefetch",
    byDefault: 65_535,
    good: [1, 65_535],
    text: [["20", 20]],
    bad: [0, 65_536, 1.5],
  },
  {
    name: "maxBufferedBytes",
    key: "options.max_buffered_bytes",
    byDefault: 64 * 1024 * 1024,
    good: [1, 1e12],
    bad: [0, -1, 0.5, Infinity],
  },
  {
    name: "overflow",
    key: "options.overflow",
    byDefault: "drop-oldest",
    good: ["drop-oldest", "drop-newest"],
    bad: ["drop", "", 0],
  },
  {
    name: "sessionExpiry",
    key: "options.session_expiry",
    byDefault: 604_800,
    good: [0, MAX_SECONDS],
    bad: [-1, MAX_SECONDS + 1, 1.5],
  },
  {
    name: "messageExpiry",
    key: "options.message_expiry",
    byDefault: undefined,
    good: [1, MAX_SECONDS],
    bad: [0, -1, MAX_SECONDS + 1, 1.5],
  },
  duration("connectTimeout", "options.connect_timeout", 30_000),
  flag("retryConnect", "options.retry_connect", true),
  duration("reconnectTimeout", "options.reconnect_timeout", 1_000),
  {
    name: "keepaliveTimeout",
    key: "options.keepalive_timeout",
    byDefault: 60_000,
    good: [0, 1, 65_535_000],
    bad: [-1, 65_535_001, "often"],
  },
  duration("sendTimeout", "options.send_timeout", 30_000),
  {
    name: "maxPending",
    key: "options.max_pending",
    byDefault: 10_000,
    good: [1, 1e6],
    bad: [0, -1, 1.5],
  },
  {
    name: "ackOrder",
    key: "options.ack_order",
    byDefault: "arrival",
    good: ["arrival", "settled"],
    bad: ["", "any"],
  },
];

for (const { name, key, byDefault, good, text = [], bad } of ROWS) {
  Deno.test(`${key} is ${byDefault} by default and can be set as ${name} too`, () => {
    assert.equal(typed({})[name], byDefault);
    for (const value of good) {
      assert.equal(typed({ [name]: value })[name], value);
      assert.equal(dotted({ [key]: value })[name], value);
    }
    for (const [given, value] of text) assert.equal(dotted({ [key]: given })[name], value);
  });

  Deno.test(`${key} refuses what it cannot be, by name`, () => {
    for (const value of bad) {
      assertNames(name, () => typed({ [name]: value }));
      const given = ConfigParams.fromTuples(key, value);
      assertNames(key, () => readConfigParams(given));
    }
  });

  Deno.test(`${key} that is undefined leaves the default`, () => {
    assert.equal(typed({ [name]: undefined })[name], byDefault);
    assert.equal(dotted({ [key]: undefined })[name], byDefault);
    assert.equal(dotted({ [key]: null })[name], byDefault);
  });
}

Deno.test("prefetch is 100 by default with a group", () => {
  assert.equal(typed({ group: "workers" }).prefetch, 100);
  assert.equal(typed({ group: "workers", prefetch: 7 }).prefetch, 7);
});

for (const options of [null, "mqtt://bob:hunter2@broker", 7, true, ["topic"], () => {}]) {
  Deno.test(`options that are ${Array.isArray(options) ? "a list" : typeof options} are refused`, () => {
    assert.throws(() => typed(options), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(
        error.message,
        /^Cannot configure: options must be an object, received \w+$/,
      );
      return true;
    });
  });
}

Deno.test("an unknown option is named", () => {
  assertNames("lock_timeout", () => typed({ lock_timeout: 1 }));
  assertNames("tls.secret", () => typed({ tls: { secret: 1 } }));
  assertNames("host", () => typed({ host: "broker" }));
});

Deno.test("an unknown key is named, nested or not", () => {
  assertNames("options.qso", () => dotted({ "options.qso": 1 }));
  assertNames("options.qso", () => dotted({ options: { qso: 1 } }));
  assertNames("__proto__", () => dotted(JSON.parse('{"__proto__":7}')));
});

Deno.test("a typed name among the dotted keys is told what is meant", () => {
  assert.throws(() => dotted({ lockTimeout: 1 }), /"options.lock_timeout" is meant/);
});

Deno.test("the address is localhost by default", () => {
  const { url, username, password } = typed({});
  assert.deepEqual({ url, username, password }, {
    url: "mqtt://localhost:1883",
    username: undefined,
    password: undefined,
  });
});

const ADDRESSES = [
  ...["mqtt://a:1", "mqtts://a:2", "ws://a:3/mqtt", "wss://a/mqtt", "mqtt://[::1]:4"],
  ...["wss://a/mqtt/", "ws://a/?token=b/", "wss://a/mqtt?token=b"],
];

for (const url of ADDRESSES) {
  Deno.test(`${url} is an address`, () => {
    assert.equal(typed({ url }).url, url);
    assert.equal(dotted({ "connection.uri": url }).url, url);
  });
}

const NO_ADDRESSES = [
  ...["", "broker", "http://a", "mqtt:", "mqtt://", "tcp://a:1883", 7, {}],
  ...["mqtt://bob%4:1pass@a", "mqtt://bob:pass%@a"],
];

for (const url of NO_ADDRESSES) {
  Deno.test(`${JSON.stringify(url)} is no address`, () => {
    assertNames("url", () => typed({ url }));
    assertNames(
      "connection.uri",
      () => readConfigParams(ConfigParams.fromTuples("connection.uri", url)),
    );
  });
}

for (
  const { parts, url } of [
    { parts: { host: "broker" }, url: "mqtt://broker:1883" },
    { parts: { protocol: "mqtts", host: "broker" }, url: "mqtts://broker:8883" },
    { parts: { protocol: "ws", host: "broker" }, url: "ws://broker" },
    { parts: { protocol: "wss" }, url: "wss://localhost" },
    { parts: { port: "1884" }, url: "mqtt://localhost:1884" },
    { parts: { host: "::1", port: 1884 }, url: "mqtt://[::1]:1884" },
    { parts: { host: "[::1]" }, url: "mqtt://[::1]:1883" },
  ]
) {
  Deno.test(`an address in parts: ${JSON.stringify(parts)}`, () => {
    assert.equal(dotted({ connection: parts }).url, url);
  });
}

Deno.test("the parts of an address are checked", () => {
  assertNames("connection.protocol", () => dotted({ "connection.protocol": "http" }));
  assertNames("connection.host", () => dotted({ "connection.host": "" }));
  for (const port of [0, 65_536, "mqtt", 1.5]) {
    assertNames("connection.port", () => dotted({ "connection.port": port }));
  }
});

Deno.test("a whole address comes before its parts", () => {
  const options = dotted({ connection: { host: "parts", uri: "mqtt://whole:1884" } });
  assert.equal(options.url, "mqtt://whole:1884");
});

Deno.test("credentials in the address are taken out of it", () => {
  const { url, username, password } = typed({ url: "mqtt://us%40er:p%2Fw@broker:1884" });
  assert.deepEqual({ url, username, password }, {
    url: "mqtt://broker:1884",
    username: "us@er",
    password: "p/w",
  });
});

Deno.test("credentials of their own come before those in the address", () => {
  const url = "mqtt://a:b@broker";
  const { username, password } = typed({ url, username: "c", password: "d" });
  assert.deepEqual([username, password], ["c", "d"]);
  const dottedOnes = dotted({ connection: { uri: url }, credential: { username: "e" } });
  assert.deepEqual([dottedOnes.username, dottedOnes.password], ["e", "b"]);
});

Deno.test("a password needs a user name on 3.1.1, on MQTT 5 an empty one goes with it", () => {
  for (const set of [{ password: "secret" }, { url: "mqtt://:secret@broker" }]) {
    assertNames("password", () => typed({ ...set, protocolVersion: 4 }));
    for (const protocolVersion of ["auto", 5]) {
      const { username, password } = typed({ ...set, protocolVersion });
      assert.deepEqual([username, password], ["", "secret"]);
    }
  }
  assert.equal(typed({ username: "", password: "secret", protocolVersion: 4 }).username, "");
  assert.equal(typed({ username: "bob", protocolVersion: 4 }).username, "bob");
});

Deno.test("credentials may be functions", () => {
  const ask = () => Promise.resolve("fresh");
  assert.equal(typed({ password: ask }).password, ask);
  assert.equal(typed({ username: ask }).username, ask);
});

Deno.test("no password shows in an error", () => {
  const secret = "hunter2";
  const attempts = [
    () => typed({ url: `http://user:${secret}@broker` }),
    () => typed({ url: `mqtt://user:${secret}@` }),
    () => typed({ password: [secret] }),
    () => typed({ tls: { key: [secret] } }),
    () => dotted({ "connection.uri": `user:${secret}@broker` }),
    () => dotted({ "credential.password": [secret] }),
    () => dotted({ "connection.tls.key": [secret] }),
  ];
  for (const attempt of attempts) {
    assert.throws(attempt, (error) => {
      assert.ok(error instanceof ConfigError);
      assert.ok(!Deno.inspect(error).split("    at ")[0].includes(secret), error.message);
      return true;
    });
  }
});

Deno.test("TLS verifies by default", () => {
  assert.deepEqual(typed({}).tls, {
    ca: undefined,
    cert: undefined,
    key: undefined,
    rejectUnauthorized: true,
  });
});

Deno.test("TLS settings are texts or bytes, under either name", () => {
  const tls = { ca: "CA", cert: Uint8Array.of(1), key: "KEY", rejectUnauthorized: false };
  assert.deepEqual(typed({ tls }).tls, tls);
  const { rejectUnauthorized, ...pem } = tls;
  const nested = { ...pem, reject_unauthorized: rejectUnauthorized };
  assert.deepEqual(dotted({ connection: { tls: nested } }).tls, tls);
});

for (const part of ["ca", "cert", "key"]) {
  Deno.test(`tls.${part} is refused by name where it is neither`, () => {
    assertNames(`tls.${part}`, () => typed({ tls: { [part]: 7 } }));
    assertNames(`connection.tls.${part}`, () => dotted({ [`connection.tls.${part}`]: 7 }));
  });
}

Deno.test("the parts of the address are no settings of their own in the end", () => {
  const resolved = dotted({ connection: { protocol: "ws", host: "a", port: 1 } });
  for (const part of ["protocol", "host", "port"]) assert.ok(!(part in resolved));
});
