import assert from "node:assert/strict";
import { MessageEnvelope, MqttMessageQueue } from "../../mod.ts";
import { EmbeddedBroker } from "../../server/broker.ts";
import { FakeBroker } from "../support/fake_broker.ts";
import { Mosquitto } from "../support/mosquitto.ts";
import { bodies, jsonLines, shell, startShell } from "./shell.ts";

const brokers = {
  "Mosquitto": () => Mosquitto.start(),
  "the embedded broker": () => EmbeddedBroker.start({ port: 0 }),
};

for (const [name, start] of Object.entries(brokers)) {
  Deno.test(`dead shows, redrives and purges dead letters (${name})`, async () => {
    await using broker = await start();
    const env = { MQTT_URL: broker.url, MQTT_TOPIC: "shell/dead" };
    await giveUp(broker.url, "shell/dead", ["one", "two", "three", "four"]);
    await shell(["count"], { env });

    const browsed = await shell(["dead"], { env });
    assert.deepEqual(bodies(browsed).sort(), ["four", "one", "three", "two"]);
    const [first, second] = jsonLines(browsed.stdout);
    assert.equal(first.reason, "unwanted");
    assert.equal(first.topic, "shell/dead");
    assert.equal(
      jsonLines((await shell(["dead", "browse", "--count", "2"], { env })).stdout).length,
      2,
    );

    const redriven = await shell(["dead", "redrive", `${first.messageId}`], { env });
    assert.deepEqual([redriven.code, redriven.stdout], [0, '{"count":1}\n'], redriven.stderr);
    assert.deepEqual(bodies(await shell(["receive"], { env })), [first.message]);

    const purged = await shell(["dead", "purge", `${second.messageId}`], { env });
    assert.deepEqual([purged.code, purged.stdout], [0, '{"count":1}\n']);

    const rest = await shell(["dead", "redrive", "--all"], { env });
    assert.deepEqual([rest.code, rest.stdout], [0, '{"count":2}\n']);
    assert.deepEqual(JSON.parse((await shell(["count"], { env })).stdout), { count: 2 });

    const empty = await shell(["dead"], { env });
    assert.deepEqual([empty.code, empty.stdout, empty.stderr], [3, "", ""]);
  });

  Deno.test(`dead purge --all leaves no dead letter (${name})`, async () => {
    await using broker = await start();
    const env = { MQTT_URL: broker.url };
    await giveUp(broker.url, "mytopic", ["one", "two"]);
    const purged = await shell(["dead", "purge", "--all"], { env });
    assert.deepEqual([purged.code, purged.stdout, purged.stderr], [0, '{"count":2}\n', ""]);
    assert.equal((await shell(["dead"], { env })).code, 3);
    const again = await shell(["dead", "purge", "--all"], { env });
    assert.deepEqual([again.code, again.stdout], [3, '{"count":0}\n']);
    assert.equal((await shell(["dead", "redrive", "nobody"], { env })).code, 3);
  });
}

for (const args of [["dead"], ["dead", "redrive", "--all"], ["dead", "purge", "1"], ["count"]]) {
  Deno.test(`Ctrl-C ends ${args.join(" ")} on a broker that does not answer`, async () => {
    const asked = Promise.withResolvers<void>();
    await using broker = new FakeBroker((packet) => {
      if (packet.cmd === "subscribe") asked.resolve();
      if (packet.cmd !== "connect") return "silence";
      return [{ cmd: "connack", returnCode: 0, reasonCode: 0, sessionPresent: false }];
    });
    await using child = startShell([...args, "--broker", broker.url]);
    await asked.promise;
    child.signal("SIGINT");
    const { code, stdout, stderr } = await child.result();
    assert.deepEqual([code, stdout, stderr], [130, "", ""]);
  });
}

/** Puts messages among the dead letters of a queue. */
async function giveUp(url: string, topic: string, texts: readonly string[]): Promise<void> {
  await using queue = new MqttMessageQueue(topic, { url, autoSubscribe: true });
  await queue.open();
  for (const text of texts) {
    await queue.send(null, new MessageEnvelope(null, "test", text));
    const envelope = await queue.receive(null, 10_000, { mode: "peekLock" });
    assert.ok(envelope !== null);
    await queue.moveToDeadLetter(envelope, { reason: "unwanted" });
  }
}
