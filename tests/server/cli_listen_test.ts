import assert from "node:assert/strict";
import { EmbeddedBroker } from "../../server/broker.ts";
import { FakeBroker } from "../support/fake_broker.ts";
import { Mosquitto } from "../support/mosquitto.ts";
import { bodies, ROOT, shell, shellArguments, startShell } from "./shell.ts";

const brokers = {
  "Mosquitto": () => Mosquitto.start(),
  "the embedded broker": () => EmbeddedBroker.start({ port: 0 }),
};

for (const [name, start] of Object.entries(brokers)) {
  Deno.test(`listen prints each message as it comes and ends after --count (${name})`, async () => {
    await using broker = await start();
    const env = { MQTT_URL: broker.url };
    await shell(["count"], { env });
    await using listening = startShell(["listen", "--count", "2"], { env });
    await shell(["send", "one"], { env });
    await listening.stdout.waitFor('"message":"one"');
    await shell(["send"], { env, stdin: "two\nthree\n" });
    const result = await listening.result();
    assert.deepEqual([result.code, result.stderr], [0, ""]);
    assert.deepEqual(bodies(result), ["one", "two"]);
    assert.deepEqual(bodies(await shell(["peek"], { env })), ["three"]);
  });

  Deno.test(`Ctrl-C ends listen: what was printed is gone, the rest is there (${name})`, async () => {
    await using broker = await start();
    const env = { MQTT_URL: broker.url };
    await shell(["count"], { env });
    await shell(["send"], { env, stdin: "one\ntwo" });
    await using listening = startShell(["listen"], { env });
    await listening.stdout.waitFor('"message":"two"');
    listening.signal("SIGINT");
    const result = await listening.result();
    assert.deepEqual([result.code, result.stderr], [0, ""]);
    await shell(["send", "three"], { env });
    assert.deepEqual(bodies(await shell(["peek"], { env })), ["three"]);
  });

  Deno.test(`Ctrl-C ends a listen whose reader has stopped, and nothing is lost (${name})`, async () => {
    await using broker = await start();
    const env = { MQTT_URL: broker.url };
    const lines = ["a", "b", "c"].map((letter) => letter.repeat(300_000)); // More than a pipe holds.
    await shell(["count"], { env });
    await shell(["send"], { env, stdin: lines.join("\n") });
    const child = new Deno.Command(Deno.execPath(), {
      args: shellArguments(["listen"]),
      cwd: ROOT,
      env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    await reader.read(); // The first line is on its way, and stays there.
    child.kill("SIGINT");
    const { code } = await child.status;
    await reader.cancel();
    assert.equal(await new Response(child.stderr).text(), "");
    assert.equal(code, 0);
    assert.deepEqual(bodies(await shell(["peek"], { env })), lines);
  });

  Deno.test(`what a killed listen had not printed comes again (${name})`, async () => {
    await using broker = await start();
    const env = { MQTT_URL: broker.url };
    const lines = Array.from({ length: 3000 }, (_, index) => `line ${index}`);
    await shell(["count"], { env });
    await shell(["send"], { env, stdin: lines.join("\n") });
    await using listening = startShell(["listen"], { env });
    await listening.stdout.waitFor('line 100"');
    const { stdout } = await listening.kill();
    const printed = bodies({ stdout: stdout.slice(0, stdout.lastIndexOf("\n") + 1) });
    const rest = bodies(await shell(["receive", "--count", "3000", "--timeout", "100"], { env }));
    assert.deepEqual([...new Set([...printed, ...rest])].sort(), lines.toSorted());
  });

  Deno.test(`listen ends when its time is over (${name})`, async () => {
    await using broker = await start();
    const env = { MQTT_URL: broker.url };
    const nothing = await shell(["listen", "--timeout", "50"], { env });
    assert.deepEqual([nothing.code, nothing.stdout, nothing.stderr], [3, "", ""]);
    await shell(["send", "one"], { env });
    const one = await shell(["listen", "--timeout", "50"], { env });
    assert.equal(one.code, 0);
    assert.deepEqual(bodies(one), ["one"]);
  });
}

Deno.test("Ctrl-C before the count of listen is reached is an interruption", async () => {
  await using broker = await Mosquitto.start();
  const env = { MQTT_URL: broker.url };
  await shell(["count"], { env });
  await shell(["send", "one"], { env });
  await using listening = startShell(["listen", "--count", "2"], { env });
  await listening.stdout.waitFor("one");
  listening.signal("SIGTERM");
  assert.equal((await listening.result()).code, 130);
});

Deno.test("listen goes on when the link is back, and tells both", async () => {
  await using broker = await Mosquitto.start();
  const env = { MQTT_URL: broker.url };
  await shell(["count"], { env });
  await using listening = startShell(["listen", "--count", "2"], { env });
  await shell(["send", "before"], { env });
  await listening.stdout.waitFor("before");
  await broker.restart();
  await listening.stderr.waitFor("The link to the broker is back.");
  await shell(["send", "after"], { env });
  const result = await listening.result();
  assert.equal(result.code, 0);
  assert.deepEqual(bodies(result), ["before", "after"]);
  assert.match(
    result.stderr,
    /^The link to the broker was lost; trying again\.\nThe link [^\n]+\n$/,
  );
});

Deno.test("listen has its session back when a count has borrowed it", async () => {
  await using broker = await Mosquitto.start();
  const env = { MQTT_URL: broker.url };
  await shell(["count"], { env });
  await shell(["send", "one"], { env });
  await using listening = startShell(["listen", "--count", "2"], { env });
  await listening.stdout.waitFor("one");
  assert.equal((await shell(["count"], { env })).code, 0);
  await shell(["send", "two"], { env });
  const result = await listening.result();
  assert.equal(result.code, 0);
  assert.deepEqual(bodies(result), ["one", "two"]);
});

Deno.test("listen ends where the broker says that another process took its session", async () => {
  await using broker = new FakeBroker((packet) => {
    if (packet.cmd === "connect") {
      return [{ cmd: "connack", returnCode: 0, reasonCode: 0, sessionPresent: false }];
    }
    if (packet.cmd !== "subscribe") return "silence";
    const { messageId } = packet;
    return [
      { cmd: "suback", messageId, granted: [1], reasonCode: 0 },
      { cmd: "disconnect", reasonCode: 142 },
    ];
  });
  const { code, stdout, stderr } = await shell(["listen", "--client-id", "a"], {
    env: { MQTT_URL: broker.url },
  });
  assert.deepEqual([code, stdout], [1, ""]);
  assert.equal(
    stderr,
    'Cannot go on: another process took over the session "a"; give one of them a --client-id\n',
  );
});

Deno.test("two that listen side by side have a session each with --client-id", async () => {
  await using broker = await Mosquitto.start();
  const env = { MQTT_URL: broker.url };
  const sessions = ["a", "b"];
  for (const id of sessions) await shell(["count", "--client-id", id], { env });
  await shell(["send", "both"], { env });
  const results = await Promise.all(
    sessions.map((id) => shell(["listen", "--count", "1", "--client-id", id], { env })),
  );
  assert.deepEqual(results.map(bodies), [["both"], ["both"]]);
});
