import assert from "node:assert/strict";
import { EmbeddedBroker } from "../../server/broker.ts";
import { Mosquitto } from "../support/mosquitto.ts";
import { Pseudoterminal } from "../support/pseudoterminal.ts";
import { bodies, ROOT, shell, shellArguments } from "./shell.ts";

const ERASE_LINE = "\r\x1b[K";
const brokers = {
  "Mosquitto": () => Mosquitto.start(),
  "the embedded broker": () => EmbeddedBroker.start({ port: 0 }),
};

/** The shell on a terminal, with something before or behind it. */
function onTerminal(
  args: readonly string[],
  { env, before = "exec", behind = "" }: {
    env?: Record<string, string>;
    before?: string;
    behind?: string;
  } = {},
): Promise<Pseudoterminal> {
  const command = [Deno.execPath(), ...shellArguments(args)].map((word) => `'${word}'`).join(" ");
  return Pseudoterminal.start(`${before} ${command} ${behind}`, { cwd: ROOT, env });
}

for (const [name, start] of Object.entries(brokers)) {
  Deno.test(`listen on a terminal prints lines for a person until Ctrl-C is typed (${name})`, async () => {
    await using broker = await start();
    const env = { MQTT_URL: broker.url };
    await shell(["count"], { env });
    await using terminal = await onTerminal(["listen"], { env });
    await terminal.waitFor('Listening on "mytopic"; Ctrl-C ends.');
    await shell(["send", "--type", "note", "hello"], { env });
    await terminal.waitFor("  note  5 B  hello\r\n");
    await terminal.waitFor("1 received, ");
    await terminal.type("\x03");
    const { code, text } = await terminal.result();
    assert.equal(code, 0);
    assert.ok(text.endsWith(ERASE_LINE), text);
    assert.equal((await shell(["count"], { env })).stdout, '{"count":0}\n');
  });

  Deno.test(`receive --count shows how far it is on a terminal, beside a pipe (${name})`, async () => {
    await using broker = await start();
    const env = { MQTT_URL: broker.url };
    await shell(["count"], { env });
    await shell(["send", "one"], { env });
    const args = ["receive", "--count", "2", "--timeout", "60000"];
    await using terminal = await onTerminal(args, { env, behind: "| cat" });
    await terminal.waitFor('"message":"one"');
    await terminal.waitFor(`${ERASE_LINE}1 of 2 received, `);
    await shell(["send", "two"], { env });
    await terminal.waitFor('"message":"two"');
    const { code, text } = await terminal.result();
    assert.equal(code, 0);
    assert.ok(text.includes(ERASE_LINE), text);
  });

  Deno.test(`send shows how many lines are sent, and reads the next when it comes (${name})`, async () => {
    await using broker = await start();
    const env = { MQTT_URL: broker.url };
    await shell(["count"], { env });
    await using terminal = await onTerminal(["send"], { env, before: "stty -echo; cat |" });
    await terminal.type("one\n");
    await terminal.waitFor("Sent ");
    await terminal.waitFor(`${ERASE_LINE}1 sent, `);
    await terminal.type("two\n");
    await terminal.waitFor("Sent ");
    await terminal.type("\x04");
    const { code } = await terminal.result();
    assert.equal(code, 0);
    assert.deepEqual(bodies(await shell(["peek"], { env })), ["one", "two"]);
  });
}

Deno.test("send on a terminal sends each line when it is typed, without progress", async () => {
  await using broker = await Mosquitto.start();
  const env = { MQTT_URL: broker.url };
  await shell(["count"], { env });
  await using terminal = await onTerminal(["send"], { env });
  await terminal.waitFor("One message a line; Ctrl-D ends.");
  await terminal.type("typed\n");
  await terminal.waitFor("Sent ");
  await terminal.type("\x03");
  const { code, text } = await terminal.result();
  assert.equal(code, 130);
  assert.ok(!text.includes(ERASE_LINE), text);
  assert.deepEqual(bodies(await shell(["peek"], { env })), ["typed"]);
});

Deno.test("clearing dead letters shows that it works, for as long as it takes", async () => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<Response>();
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      if (!request.url.endsWith("/api/purge")) return Response.json({ topic: "t" });
      asked.resolve();
      return answer.promise;
    },
  );
  const args = ["dead", "purge", "--all", "--server", `http://127.0.0.1:${server.addr.port}`];
  await using terminal = await onTerminal(args);
  await asked.promise;
  await terminal.waitFor(`${ERASE_LINE}Purging dead letters, 1 s`);
  answer.resolve(Response.json({ count: 7 }));
  await terminal.waitFor(`${ERASE_LINE}7 purged\r\n`);
  assert.equal((await terminal.result()).code, 0);
});

Deno.test("nothing to receive is said on a terminal", async () => {
  await using broker = await Mosquitto.start();
  await using terminal = await onTerminal(["receive", "--timeout", "10", "--broker", broker.url]);
  await terminal.waitFor("Nothing there.\r\n");
  assert.equal((await terminal.result()).code, 3);
});

Deno.test("in a pipe there is no progress, however long it takes", async () => {
  await using broker = await Mosquitto.start();
  const env = { MQTT_URL: broker.url };
  await shell(["count"], { env });
  await shell(["send", "one"], { env });
  const { code, stderr } = await shell(["receive", "--count", "2", "--timeout", "500"], { env });
  assert.deepEqual([code, stderr], [0, ""]);
});

Deno.test("deno task listen passes Ctrl-C and the exit code on", async () => {
  await using broker = await Mosquitto.start();
  await using terminal = await Pseudoterminal.start(`exec '${Deno.execPath()}' task listen`, {
    cwd: ROOT,
    env: { MQTT_URL: broker.url },
  });
  await terminal.waitFor("Ctrl-C ends.");
  await terminal.waitFor("0 received, ");
  await terminal.type("\x03");
  const { code, text } = await terminal.result();
  assert.equal(code, 0, text);
});
