import assert from "node:assert/strict";
import { MessageEnvelope, MqttMessageQueue } from "../../mod.ts";
import { startDeno } from "../support/deno_process.ts";
import { Mosquitto } from "../support/mosquitto.ts";

const PEER = new URL("../peers/pip_services.js", import.meta.url).pathname;

function startPeer(action: "send" | "receive", port: number) {
  return startDeno(["run", "--quiet", "--allow-all", PEER, action, `${port}`]);
}

Deno.test("what the npm component of the same name sends is received", async () => {
  await using broker = await Mosquitto.start();
  await using queue = new MqttMessageQueue("peer", { url: broker.url, autoSubscribe: true });
  await queue.open();
  await using peer = startPeer("send", broker.port);
  const received = (await queue.receive(null, 20_000))!;
  const sent = JSON.parse(await peer.stdout.waitFor("message_id"));
  assert.equal(received.messageId, sent.message_id);
  assert.equal(received.correlationId, "corr-1");
  assert.equal(received.messageType, "order");
  assert.equal(received.getMessageAsString(), "ABC123 ✓");
  assert.equal((await peer.result()).code, 0);
});

for (const protocolVersion of [4, 5] as const) {
  Deno.test(`the npm component of the same name receives what is sent with ${protocolVersion}`, async () => {
    await using broker = await Mosquitto.start();
    await using peer = startPeer("receive", broker.port);
    await peer.stdout.waitFor("open");
    await using queue = new MqttMessageQueue("peer", {
      url: broker.url,
      protocolVersion,
      serializeEnvelope: true,
    });
    await queue.open();
    const envelope = new MessageEnvelope("corr-2", "order", "DEF456 ✓");
    await queue.send(null, envelope, { retain: true }); // It may not have subscribed yet.
    const received = JSON.parse(await peer.stdout.waitFor("message_id"));
    assert.deepEqual(received, {
      message_id: envelope.messageId,
      correlation_id: "corr-2",
      message_type: "order",
      text: "DEF456 ✓",
    });
    assert.equal((await peer.result()).code, 0);
  });
}
