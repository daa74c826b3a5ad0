import assert from "node:assert/strict";
import {
  BatchSendError,
  MessageEnvelope,
  MqttMessageQueue,
  NotSupportedError,
  QueueFullError,
} from "../../mod.ts";
import { FakeBroker } from "../support/fake_broker.ts";
import { Mosquitto } from "../support/mosquitto.ts";

function message(body: string | Uint8Array): MessageEnvelope {
  return new MessageEnvelope(null, "mymessage", body);
}

Deno.test("a packet that the broker would refuse is refused before it is sent", async () => {
  await using broker = await Mosquitto.start({ config: ["max_packet_size 2000"] });
  await using queue = new MqttMessageQueue("limits", { url: broker.url, autoSubscribe: true });
  await queue.open();
  assert.equal(queue.getCapabilities().maximumPacketSize, 2_000);
  for (let size = 1_600; size <= 2_000; size += 7) {
    const sent = queue.send(null, message(new Uint8Array(size)));
    // Just below the limit it goes through, just above it is refused; the link never suffers.
    await sent.catch((error) => assert.ok(error instanceof NotSupportedError, error));
  }
  assert.equal(queue.stats().reconnects, 0);
  assert.ok(queue.stats().sent > 20);
  assert.equal(await queue.readMessageCount(), queue.stats().sent);
});

Deno.test("no more than prefetch come before the first is settled", async () => {
  await using broker = await Mosquitto.start();
  await using queue = new MqttMessageQueue("limits", {
    url: broker.url,
    protocolVersion: 5,
    prefetch: 3,
    receiveMode: "peekLock",
    autoSubscribe: true,
  });
  await queue.open();
  assert.equal(queue.getCapabilities().receiveMaximum, 3);
  await queue.sendBatch(null, Array.from({ length: 10 }, (_, index) => message(`${index}`)));
  assert.equal(await queue.readMessageCount(), 3);
  const [first] = await queue.receiveBatch(null, 3, 0);
  assert.equal(await queue.receive(null, 50), null);
  await queue.complete(first);
  const next = await queue.receive(null, 10_000); // Mosquitto 2.0 sends a whole window more.
  assert.equal(next?.getMessageAsString(), "3");
});

Deno.test("no more are in flight than the broker's Receive Maximum", async () => {
  let inFlight = 0;
  let most = 0;
  await using broker = new FakeBroker((packet) => {
    if (packet.cmd === "connect") {
      return [{
        cmd: "connack",
        reasonCode: 0,
        sessionPresent: false,
        properties: { receiveMaximum: 5, maximumQoS: 1, retainAvailable: false },
      }];
    }
    if (packet.cmd === "publish") {
      most = Math.max(most, ++inFlight);
      // The others come before the answer does.
      if (inFlight < 5) return "silence";
      const answers = Array.from({ length: inFlight }, (_, index) => ({
        cmd: "puback" as const,
        messageId: packet.messageId! - index,
        reasonCode: 0,
      }));
      inFlight = 0;
      return answers;
    }
    return "silence";
  });
  await using queue = new MqttMessageQueue("limits", { url: broker.url });
  await queue.open();
  await queue.sendBatch(null, Array.from({ length: 50 }, (_, index) => message(`${index}`)));
  assert.equal(most, 5);
  const capabilities = queue.getCapabilities();
  assert.equal(capabilities.maximumQoS, 1);
  assert.equal(capabilities.retain, false);
  await assert.rejects(queue.send(null, message("1"), { qos: 2 }), NotSupportedError);
  await assert.rejects(queue.send(null, message("1"), { retain: true }), NotSupportedError);
});

Deno.test("maxPending bounds what waits, and a batch is fed as there is room", async () => {
  await using broker = await Mosquitto.start();
  await using queue = new MqttMessageQueue("limits", {
    url: broker.url,
    maxPending: 10,
    autoSubscribe: true,
  });
  await queue.open();
  const sends = Array.from({ length: 11 }, (_, index) => queue.send(null, message(`${index}`)));
  await assert.rejects(sends[10], (error) => {
    assert.ok(error instanceof QueueFullError);
    assert.equal(error.maxPending, 10);
    return true;
  });
  await Promise.all(sends.slice(0, 10));
  await queue.sendBatch(null, Array.from({ length: 500 }, (_, index) => message(`${index}`)));
  assert.equal(await queue.readMessageCount(), 510);
});

Deno.test("sendBatch() names each one that failed", async () => {
  await using broker = await Mosquitto.start({ config: ["max_packet_size 1000"] });
  await using queue = new MqttMessageQueue("limits", { url: broker.url });
  await queue.open();
  const large = message(new Uint8Array(2_000));
  const batch = [message("0"), large, message("2")];
  await assert.rejects(queue.sendBatch(null, batch), (error) => {
    assert.ok(error instanceof BatchSendError);
    assert.equal(error.failures.length, 1);
    assert.equal(error.failures[0].index, 1);
    assert.equal(error.failures[0].envelope, large);
    assert.ok(error.failures[0].error instanceof NotSupportedError);
    return true;
  });
  assert.equal(queue.stats().sent, 2);
});

Deno.test("a send that the broker refuses says why", async () => {
  await using broker = new FakeBroker((packet) => {
    if (packet.cmd === "connect") {
      return [{ cmd: "connack", reasonCode: 0, sessionPresent: false }];
    }
    if (packet.cmd !== "publish") return "silence";
    return [{ cmd: "puback", messageId: packet.messageId!, reasonCode: 151 }];
  });
  await using queue = new MqttMessageQueue("limits", { url: broker.url });
  await queue.open();
  await assert.rejects(queue.send(null, message("1")), {
    name: "ConnectionError",
    reasonCode: 151,
    message: /Quota exceeded/,
  });
});
