import assert from "node:assert/strict";
import { EmbeddedBroker } from "../../server/broker.ts";
import { MessageEnvelope, MqttMessageQueue, type QoS } from "../../mod.ts";
import { ChildProcess } from "../support/child_process.ts";
import { startDeno } from "../support/deno_process.ts";
import { isFree } from "../support/free_port.ts";
import { Mosquitto } from "../support/mosquitto.ts";
import { findProgram } from "../support/tools.ts";
import { brokers } from "./brokers.ts";

const ROOT = new URL("../../", import.meta.url);

function run(program: string, ...args: string[]): ChildProcess {
  return startDeno(["run", "--quiet", "--allow-net", "--allow-env", program, ...args], {
    cwd: ROOT.pathname,
  });
}

for (const { name, start } of brokers) {
  for (const qos of [1, 2] as QoS[]) {
    Deno.test(`a killed consumer's messages come again to its successor, QoS ${qos} (${name})`, async () => {
      await using broker = await start();
      const consumer = run("tests/integration/programs/hold.ts", broker.url, `${qos}`, "5");
      await consumer.stdout.waitFor("open");
      await using sender = new MqttMessageQueue("held", { url: broker.url, qos });
      await sender.open();
      const envelopes = Array.from(
        { length: 8 },
        (_, index) => new MessageEnvelope(null, "mymessage", `${index}`),
      );
      await sender.sendBatch(null, envelopes);
      await consumer.stdout.waitFor("holding");
      await consumer.kill();
      await using successor = new MqttMessageQueue("held", {
        url: broker.url,
        qos,
        clientId: "consumer",
      });
      await successor.open();
      const ids: string[] = [];
      while (ids.length < envelopes.length) {
        const batch = await successor.receiveBatch(null, envelopes.length, 10_000);
        assert.notEqual(batch.length, 0);
        ids.push(...batch.map((each) => each.messageId));
      }
      assert.deepEqual(ids, envelopes.map((each) => each.messageId));
      assert.equal(await successor.readMessageCount(), 0);
    });
  }
}

/** Runs the tutorial as it stands, or, where somebody has its port, a copy with another one. */
async function runTutorial(port: number): Promise<unknown> {
  const folder = await Deno.makeTempDir();
  try {
    let program = "examples/tutorial.ts";
    if (port !== 1883) {
      const source = await Deno.readTextFile(new URL(program, ROOT));
      program = `${folder}/tutorial.ts`;
      const elsewhere = source.replace("1883", `${port}`).replace("../mod.ts", `${ROOT}mod.ts`);
      await Deno.writeTextFile(program, elsewhere);
    }
    await using tutorial = run(program);
    const { code, stdout, stderr } = await tutorial.result();
    return { code, stdout, stderr };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the tutorial prints ABC1234 against Mosquitto", async () => {
  await using broker = await Mosquitto.start({ port: isFree(1883) ? 1883 : undefined });
  assert.deepEqual(await runTutorial(broker.port), { code: 0, stdout: "ABC1234\n", stderr: "" });
});

Deno.test("the tutorial prints ABC1234 against the embedded broker", async () => {
  await using broker = await EmbeddedBroker.start();
  const port = Number(new URL(broker.url).port);
  assert.deepEqual(await runTutorial(port), { code: 0, stdout: "ABC1234\n", stderr: "" });
});

Deno.test("what mosquitto_pub publishes is received", async () => {
  await using broker = await Mosquitto.start();
  await using queue = new MqttMessageQueue("shell", { url: broker.url, autoSubscribe: true });
  await queue.open();
  const received = queue.receive(null, 10_000);
  await using publisher = ChildProcess.start((await findProgram("mosquitto_pub"))!, [
    ...["-p", `${broker.port}`, "-t", "shell", "-q", "1", "-m", "hello"],
  ]);
  assert.equal((await publisher.result()).code, 0);
  assert.equal((await received)?.getMessageAsString(), "hello");
});

Deno.test("mosquitto_sub shows what send() sent", async () => {
  await using broker = await Mosquitto.start();
  await using queue = new MqttMessageQueue("shell", {
    url: broker.url,
    clientId: "sender",
    serializeEnvelope: false,
  });
  await queue.open();
  await queue.send(null, new MessageEnvelope(null, "mymessage", "hello"), { retain: true });
  await using subscriber = ChildProcess.start((await findProgram("mosquitto_sub"))!, [
    ...["-p", `${broker.port}`, "-t", "shell", "-q", "1", "-C", "1"],
  ]);
  assert.equal((await subscriber.result()).stdout, "hello\n");
});
