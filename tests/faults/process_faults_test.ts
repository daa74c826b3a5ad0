import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { MessageEnvelope, MqttMessageQueue } from "../../mod.ts";
import { mqttPacket } from "../deps.ts";
import { startDeno } from "../support/deno_process.ts";
import { Mosquitto } from "../support/mosquitto.ts";

const ROOT = new URL("../../", import.meta.url);

/** Sends packets as a process does that dies right behind them; resolves when the broker answered the last. */
async function sendAndDie(port: number, packets: mqttPacket.Packet[]): Promise<void> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const parser = mqttPacket.parser({ protocolVersion: 5 });
  let answers = 0;
  parser.on("packet", () => answers++);
  const buffer = new Uint8Array(1_024);
  for (const [index, packet] of packets.entries()) {
    await connection.write(mqttPacket.generate(packet, { protocolVersion: 5 }));
    while (answers <= index) {
      const count = await connection.read(buffer);
      assert.ok(count !== null, "the broker ended the link");
      parser.parse(Buffer.from(buffer.slice(0, count)));
    }
  }
}

Deno.test("what a producer left half sent at QoS 2 does not swallow its successor's message", async () => {
  await using broker = await Mosquitto.start();
  await using consumer = new MqttMessageQueue("jobs", {
    url: broker.url,
    qos: 2,
    autoSubscribe: true,
  });
  await consumer.open();
  // As the queue itself sends: the sending link's client id, its first packet id. It dies before its PUBREL.
  await sendAndDie(broker.port, [
    {
      cmd: "connect",
      protocolId: "MQTT",
      protocolVersion: 5,
      clean: false,
      clientId: "producer-send",
      keepalive: 60,
      properties: { sessionExpiryInterval: 900 },
    },
    {
      cmd: "publish",
      topic: "jobs",
      payload: "same body",
      qos: 2,
      retain: false,
      dup: false,
      messageId: 1,
      properties: { userProperties: { message_id: "of the dead" } },
    },
  ]);
  await using producer = new MqttMessageQueue("jobs", {
    url: broker.url,
    qos: 2,
    clientId: "producer",
  });
  await producer.open();
  const envelope = new MessageEnvelope(null, "job", "same body");
  envelope.messageId = "of the successor";
  await producer.send(null, envelope);
  assert.equal((await consumer.receive(null, 5_000))?.messageId, "of the successor");
});

Deno.test("a consumer that runs out of memory loses nothing: its successor gets what it held", async () => {
  await using broker = await Mosquitto.start();
  await using consumer = startDeno([
    ...["run", "--quiet", "--no-prompt", "--allow-env", `--allow-net=127.0.0.1:${broker.port}`],
    "--v8-flags=--max-old-space-size=64",
    "tests/faults/programs/glutton.ts",
    broker.url,
  ], { cwd: ROOT.pathname, env: { RUST_BACKTRACE: "0" } });
  await consumer.stdout.waitFor("open");
  await using sender = new MqttMessageQueue("glutton", { url: broker.url });
  await sender.open();
  const envelopes = ["1", "2", "3"].map((body) => new MessageEnvelope(null, "job", body));
  await sender.sendBatch(null, envelopes);
  const { code, signal, stdout } = await consumer.result();
  assert.ok(code !== 0 || signal !== null);
  assert.match(stdout, /holding 3/);
  await using successor = new MqttMessageQueue("glutton", { url: broker.url, clientId: "glutton" });
  await successor.open();
  const bodies: (string | null)[] = [];
  while (bodies.length < 3) {
    const message = await successor.receive(null, 10_000);
    assert.ok(message !== null, `${bodies}`);
    bodies.push(message.getMessageAsString());
  }
  assert.deepEqual(bodies, ["1", "2", "3"]);
});
