import assert from "node:assert/strict";
import { isLoopback, readSettings, UsageError } from "../../server/settings.ts";

const none = () => undefined;

Deno.test("readSettings() is safe without a word: loopback, embedded broker, no token", () => {
  assert.deepEqual(readSettings([], none), {
    brokerUrl: null,
    username: null,
    password: null,
    clientId: null,
    topic: "mytopic",
    qos: 1,
    host: "127.0.0.1",
    port: 8080,
    token: null,
    allowedHosts: [],
  });
});

Deno.test("readSettings() takes a flag before the environment, and the environment before the default", () => {
  const env = new Map([["MQTT_URL", "mqtt://env:1883"], ["MQTT_TOPIC", "env"], ["PORT", "9000"]]);
  const settings = readSettings(["--topic", "flag", "--qos=2"], (name) => env.get(name));
  assert.equal(settings?.brokerUrl, "mqtt://env:1883");
  assert.equal(settings?.topic, "flag");
  assert.equal(settings?.port, 9000);
  assert.equal(settings?.qos, 2);
});

Deno.test("readSettings() takes an empty variable for none", () => {
  assert.equal(readSettings([], () => "")?.brokerUrl, null);
});

Deno.test("readSettings() makes a token where other machines can reach the server", () => {
  const first = readSettings(["--host", "0.0.0.0"], none)?.token;
  const second = readSettings(["--host", "0.0.0.0"], none)?.token;
  assert.match(first ?? "", /^[0-9a-f]{32}$/);
  assert.notEqual(first, second);
  assert.equal(
    readSettings(["--host", "0.0.0.0", "--token", "longenough"], none)?.token,
    "longenough",
  );
});

Deno.test("readSettings() refuses what it does not know or cannot use, by name", () => {
  const cases: [string[], RegExp][] = [
    [["--brokr", "x"], /Unknown option '--brokr'/],
    [["stray"], /a value stands without its option/],
    [["--port", "70000"], /port: a number from 0 to 65535 is needed, received "70000"/],
    [["--port", "80a"], /received "80a"/],
    [["--port"], /port/],
    [["--qos", "3"], /qos: a number from 0 to 2 is needed/],
    [["--broker", "http://localhost"], /a URL such as mqtt:\/\/localhost:1883/],
    [["--broker", "nowhere"], /received something else/],
    [["--topic", " "], /topic: a name is needed/],
    [["--token", "short"], /token: 8 characters at least/],
  ];
  for (const [args, message] of cases) {
    assert.throws(() => readSettings(args, none), (error) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("readSettings() shows nothing that may hold a password of a broker that it refuses", () => {
  const refused = [
    "http://user:secret@localhost",
    "user:secret@localhost:1883",
    "secret:user@localhost",
    "mqtt://user:secret@",
    "mqtt//user:secret@localhost",
    "//user:secret@localhost:1883",
    "mqtt://user:sec ret@local host",
  ];
  for (const value of refused) {
    const places = [["--broker", value], [value], ["--port", value], ["--qos", value], [
      `--${value}`,
    ]];
    for (const args of places) {
      assert.throws(
        () => readSettings(args, none),
        (error) => error instanceof UsageError && !/sec ?ret/.test(error.message),
        value,
      );
    }
  }
});

Deno.test("readSettings() gives null for --help", () => {
  assert.equal(readSettings(["--help"], none), null);
});

Deno.test("isLoopback() knows this machine's addresses from others", () => {
  for (const host of ["127.0.0.1", "127.9.9.9", "localhost", "::1", "[::1]"]) {
    assert.ok(isLoopback(host), host);
  }
  for (const host of ["0.0.0.0", "::", "192.168.0.1", "127.0.0.1.example.org", "example.org"]) {
    assert.ok(!isLoopback(host), host);
  }
});
