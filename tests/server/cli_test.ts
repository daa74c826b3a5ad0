import assert from "node:assert/strict";
import { EmbeddedBroker } from "../../server/broker.ts";
import { startDeno } from "../support/deno_process.ts";
import { freePort } from "../support/free_port.ts";
import { Mosquitto } from "../support/mosquitto.ts";
import { bodies, shell, shellWithoutReader, startShell } from "./shell.ts";

const brokers = {
  "Mosquitto": () => Mosquitto.start(),
  "the embedded broker": () => EmbeddedBroker.start({ port: 0 }),
};

for (const [name, start] of Object.entries(brokers)) {
  Deno.test(`the shell sends, peeks, counts and receives (${name})`, async () => {
    await using broker = await start();
    const on = ["--broker", broker.url, "--topic", "shell/all"];
    const first = await shell(["peek", ...on]);
    assert.equal(first.code, 3, first.stderr);
    assert.equal(first.stdout, "");

    assert.equal((await shell(["send", ...on], { stdin: "one\ntwo\r\nthree" })).code, 0);
    assert.deepEqual(bodies(await shell(["peek", ...on, "--count", "2"])), ["one", "two"]);
    assert.deepEqual(bodies(await shell(["peek", ...on])), ["one", "two", "three"]);
    assert.deepEqual(JSON.parse((await shell(["count", ...on])).stdout), { count: 3 });

    assert.deepEqual(bodies(await shell(["receive", ...on])), ["one"]);
    const rest = await shell(["receive", ...on, "--count", "2"]);
    assert.deepEqual(bodies(rest), ["two", "three"]);
    assert.equal(rest.code, 0);
    assert.equal((await shell(["receive", ...on, "--timeout", "50"])).code, 3);
  });
}

Deno.test("receive waits for a message that comes later", async () => {
  await using broker = await Mosquitto.start({ config: ["log_type subscribe"] });
  const env = { MQTT_URL: broker.url, MQTT_TOPIC: "shell/wait" };
  const receiving = shell(["receive"], { env });
  await broker.waitForLog(/ shell-\S+ \d shell\/wait$/);
  await shell(["send", "late"], { env });
  assert.deepEqual(bodies(await receiving), ["late"]);
});

Deno.test("send takes words, a type and a correlation id", async () => {
  await using broker = await Mosquitto.start();
  const env = { MQTT_URL: broker.url };
  await shell(["count"], { env });
  const sent = await shell(
    ["send", "--type", "greeting", "--correlation-id", "7", "hello", "world"],
    {
      env,
    },
  );
  const message = JSON.parse((await shell(["peek"], { env })).stdout);
  assert.equal(message.message, "hello world");
  assert.equal(message.messageType, "greeting");
  assert.equal(message.correlationId, "7");
  assert.equal(message.topic, "mytopic");
  assert.equal(message.messageId, JSON.parse(sent.stdout).messageId);
});

Deno.test("send sends a file as it is", async () => {
  await using broker = await Mosquitto.start();
  const env = { MQTT_URL: broker.url };
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, Uint8Array.of(0, 255, 10, 13, 128));
    await shell(["count"], { env });
    assert.equal((await shell(["send", "--file", path], { env })).code, 0);
    const message = JSON.parse((await shell(["receive"], { env })).stdout);
    assert.deepEqual([message.encoding, message.message], ["base64", "AP8KDYA="]);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("send keeps the order of many lines", async () => {
  await using broker = await Mosquitto.start();
  const env = { MQTT_URL: broker.url };
  const lines = Array.from({ length: 3000 }, (_, index) => `line ${index} ü`);
  await shell(["count"], { env });
  assert.equal((await shell(["send"], { env, stdin: lines.join("\n") })).code, 0);
  assert.deepEqual(bodies(await shell(["receive", "--count", "3000"], { env })), lines);
});

Deno.test("send has nothing to do without a line", async () => {
  await using broker = await Mosquitto.start();
  const { code, stdout, stderr } = await shell(["send", "--broker", broker.url], { stdin: "" });
  assert.deepEqual([code, stdout, stderr], [3, "", ""]);
});

Deno.test("send does not take over the session of a shell that receives", async () => {
  await using broker = await Mosquitto.start({ config: ["log_type subscribe"] });
  const env = { MQTT_URL: broker.url };
  const receiving = shell(["receive", "--count", "2"], { env });
  await broker.waitForLog(/ shell-\S+ \d mytopic$/);
  await shell(["send", "a"], { env });
  await shell(["send", "b"], { env });
  const received = await receiving;
  assert.deepEqual(bodies(received), ["a", "b"], received.stderr);
});

Deno.test("a message whose line nobody reads stays in the queue, and that is no error", async () => {
  await using broker = await Mosquitto.start();
  const env = { MQTT_URL: broker.url };
  await shell(["count"], { env });
  await shell(["send", "kept"], { env });
  const { code, stderr } = await shellWithoutReader(["receive"], { env });
  assert.equal(code, 0);
  assert.equal(stderr, "");
  assert.deepEqual(bodies(await shell(["peek"], { env })), ["kept"]);
});

Deno.test("send sends all of it though nobody reads which were sent", async () => {
  await using broker = await Mosquitto.start();
  const env = { MQTT_URL: broker.url };
  await shell(["count"], { env });
  const sent = await shellWithoutReader(["send"], { env, stdin: "line\n".repeat(2000) });
  assert.deepEqual(sent, { code: 0, stderr: "" });
  assert.equal((await shell(["count"], { env })).stdout, '{"count":2000}\n');
});

Deno.test("send keeps bytes that are no text, line by line", async () => {
  await using broker = await Mosquitto.start();
  const env = { MQTT_URL: broker.url };
  await shell(["count"], { env });
  await shell(["send"], { env, stdin: Uint8Array.of(255, 0, 10, 10, 65, 13, 10) });
  assert.deepEqual(bodies(await shell(["peek"], { env })), ["/wA=", "", "A"]);
});

Deno.test("Ctrl-C ends a waiting receive without a word", async () => {
  await using broker = await Mosquitto.start();
  await using child = startShell(
    ["receive", "--timeout", "60000", "--client-id", "patient", "--broker", broker.url],
  );
  await broker.waitForLog(/ as patient \(/);
  child.signal("SIGINT");
  const { code, stdout, stderr } = await child.result();
  assert.deepEqual([code, stdout, stderr], [130, "", ""]);
});

Deno.test("a broker that is down is one sentence without the password", async () => {
  const broker = `mqtt://bob:secret@127.0.0.1:${freePort()}`;
  const { code, stdout, stderr } = await shell(["count", "--broker", broker]);
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(stderr, /^Cannot connect to [^\n]+\n$/);
  assert.doesNotMatch(stderr, /secret|bob/);
});

const WRONG: [string, string[], RegExp][] = [
  ["no command", [], /received nothing/],
  ["an unknown command", ["sned"], /received "sned"/],
  ["an unknown option", ["send", "--tpoic", "x"], /Unknown option '--tpoic'/],
  ["a QoS that is none", ["send", "--qos", "3", "x"], /from 0 to 2 is needed, received "3"/],
  ["a count that is none", ["peek", "--count", "many"], /received "many"/],
  ["a URL of another kind", ["peek", "--broker", "http://bob:secret@h"], /such as mqtt:/],
  ["words where none belong", ["receive", "hello"], /no words are needed, received "hello"/],
  ["an address that stands alone", ["peek", "mqtt://bob:secret@h"], /no words are needed/],
  ["a wait that peek has not", ["peek", "--timeout", "1"], /--timeout belongs to receive/],
  ["an option of send", ["peek", "--file", "x"], /--file belongs to send/],
  ["all, for something else", ["receive", "--all"], /--all belongs to dead/],
  ["a deed that dead letters do not know", ["dead", "raise"], /received "raise"/],
  ["redrive without an id", ["dead", "redrive"], /one id or --all is needed, received 0/],
  ["purge with an id and --all", ["dead", "purge", "--all", "x"], /is needed, received both/],
  ["browse with --all", ["dead", "--all"], /neither an id nor --all/],
  ["a server and a broker", ["peek", "--server", "http://h", "--broker", "mqtt://h"], /own broker/],
  ["a server of another kind", ["peek", "--server", "mqtt://bob:secret@h"], /such as http:/],
  ["a server with a password", ["peek", "--server", "http://bob:secret@h"], /such as http:/],
  ["a token for a broker", ["peek", "--token", "secret"], /--token: it belongs to --server/],
  ["a listen that never was", ["listen", "--timeout", "0"], /from 1 to/],
  ["two bodies", ["send", "--file", "x", "y"], /one of them is enough/],
];

for (const [name, args, sentence] of WRONG) {
  Deno.test(`the shell says what is wrong with ${name}`, async () => {
    const { code, stdout, stderr } = await shell(args);
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, sentence);
    assert.match(stderr, /^Cannot [^\n]+\nSee --help\.\n$/);
    assert.doesNotMatch(stderr, /secret/);
  });
}

Deno.test("a file that is not there is one sentence without a password", async () => {
  await using broker = await Mosquitto.start();
  const args = ["send", "--broker", broker.url, "--file", "mqtt://bob:secret@h"];
  const { code, stderr } = await shell(args);
  assert.deepEqual([code, stderr], [
    1,
    'Cannot send: there is no such file, received "mqtt://…@h"\n',
  ]);
});

Deno.test("the shell refuses to send to a wildcard", async () => {
  await using broker = await Mosquitto.start();
  const { code, stderr } = await shell(["send", "--broker", broker.url, "--topic", "a/#", "x"]);
  assert.equal(code, 2);
  assert.match(stderr, /^Cannot send: [^\n]+\n$/);
});

Deno.test("--help goes to standard output and tells that the first call makes the session", async () => {
  const { code, stdout, stderr } = await shell(["peek", "--help"]);
  assert.equal(code, 0);
  assert.equal(stderr, "");
  assert.match(stdout, /^Usage: deno task send/);
  assert.match(stdout, /first of these commands makes the session/);
});

Deno.test("a person's line shows control characters instead of obeying them", async () => {
  const output = new URL("../../server/cli_output.ts", import.meta.url).href;
  const messages = new URL("../../server/api_messages.ts", import.meta.url).href;
  const mod = new URL("../../mod.ts", import.meta.url).href;
  const code = `
    import { CliOutput } from ${JSON.stringify(output)};
    import { writeMessage } from ${JSON.stringify(messages)};
    import { MessageEnvelope } from ${JSON.stringify(mod)};
    const envelope = new MessageEnvelope(null, "t\\u001b[2J", "a\\u001b]0;x\\u0007\\nb");
    await new CliOutput(false).writeMessage(writeMessage(envelope));
  `;
  await using child = startDeno(["eval", code]);
  const { stdout, stderr } = await child.result();
  assert.match(stdout, /^\d\d:\d\d:\d\d {2}t⟨ESC⟩\[2J {2}\d+ B {2}a⟨ESC⟩\]0;x⟨BEL⟩⏎b\n$/, stderr);
});
