import assert from "node:assert/strict";
import {
  ConnectionError,
  MessageEnvelope,
  MqttMessageQueue,
  NotSupportedError,
  TimeoutError,
} from "../../mod.ts";
import type { mqttPacket } from "../deps.ts";
import { obedientReply } from "../faults/obedient_reply.ts";
import { FakeBroker } from "../support/fake_broker.ts";
import { Mosquitto } from "../support/mosquitto.ts";
import { queueEvent } from "../support/queue_event.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";

const WAIT_MS = 10_000;
const NOT_AUTHORIZED = 135;

function suback(packet: mqttPacket.ISubscribePacket, granted: number): mqttPacket.Packet {
  return { cmd: "suback", messageId: packet.messageId, granted: [granted], reasonCode: 0 };
}

function relinked(queue: MqttMessageQueue) {
  return queueEvent(
    queue,
    "statechange",
    ({ state, previous }) => state === "connected" && previous === "reconnecting",
  );
}

Deno.test("a broker that grants less than was asked for is refused", async () => {
  await using broker = new FakeBroker((packet) =>
    packet.cmd === "subscribe" ? [suback(packet, 0)] : obedientReply(packet)
  );
  const queue = new MqttMessageQueue("weak", { url: broker.url, qos: 2, autoSubscribe: true });
  await assert.rejects(queue.open(), (error) => {
    assert.ok(error instanceof NotSupportedError);
    assert.match(error.message, /at QoS 2: the broker grants QoS 0 at most/);
    return true;
  });
});

Deno.test("a subscription that is refused after a lost session is asked for again until it is granted", async () => {
  let subscribes = 0;
  const granted = Promise.withResolvers<void>();
  await using broker = new FakeBroker((packet) => {
    if (packet.cmd !== "subscribe") return obedientReply(packet);
    const refused = ++subscribes > 1 && subscribes < 4;
    if (subscribes === 4) granted.resolve();
    return [suback(packet, refused ? NOT_AUTHORIZED : 1)];
  });
  await using queue = new MqttMessageQueue("refused", {
    ...{ url: broker.url, protocolVersion: 5, autoSubscribe: true, reconnectTimeout: 5 },
  });
  await queue.open();
  const told: Error[] = [];
  queue.addEventListener("error", ({ detail }) => void told.push(detail.error));
  await broker.send({ cmd: "disconnect", reasonCode: 139 });
  await granted.promise;
  assert.ok(told.length >= 2);
  assert.ok(
    told.every((error) => error instanceof ConnectionError && error.reasonCode === NOT_AUTHORIZED),
  );
  const publish = { cmd: "publish", topic: "refused", payload: "heard", qos: 1 } as const;
  const waiting = queue.receive(null, WAIT_MS);
  await broker.send({ ...publish, messageId: 1, retain: false, dup: false });
  assert.equal((await waiting)?.getMessageAsString(), "heard");
});

Deno.test("open() with a group ends where a broker answers no SUBSCRIBE", async () => {
  await using broker = new FakeBroker((packet) =>
    packet.cmd === "subscribe" ? "silence" : obedientReply(packet)
  );
  const queue = new MqttMessageQueue("shared", {
    ...{ url: broker.url, protocolVersion: 4, group: "workers", connectTimeout: 100 },
  });
  await assert.rejects(queue.open(), TimeoutError);
});

Deno.test("dead letters that are read while the link is lost are no short list, and are all there later", async () => {
  await using broker = await Mosquitto.start();
  await using proxy = new TcpProxy(broker.port);
  await using queue = new MqttMessageQueue("dying", {
    ...{ url: proxy.url, protocolVersion: 5, autoSubscribe: true },
    ...{ receiveMode: "peekLock", reconnectTimeout: 5 },
  });
  await queue.open();
  for (const body of ["1", "2", "3"]) {
    await queue.send(null, new MessageEnvelope(null, "job", body));
    await queue.moveToDeadLetter((await queue.receive(null, WAIT_MS))!);
  }
  const PINGREQ = 0xc0; // The subscription is made by then.
  for (const read of [() => queue.deadLetters.count(), () => queue.deadLetters.peekBatch(9)]) {
    const back = relinked(queue);
    proxy.cutAt(PINGREQ);
    await assert.rejects(read, ConnectionError);
    await back;
    assert.equal(await queue.deadLetters.count(), 3);
  }
  assert.equal(await queue.deadLetters.purge(), 3);
});

Deno.test("what a broker on 3.1.1 does not tell of shared subscriptions is not claimed", async () => {
  await using broker = await Mosquitto.start();
  for (const group of [undefined, "workers"]) {
    await using queue = new MqttMessageQueue("shared", {
      ...{ url: broker.url, protocolVersion: 4, group },
    });
    await queue.open();
    const { sharedSubscriptions } = queue.getCapabilities();
    assert.equal(sharedSubscriptions, group === undefined ? null : true);
  }
});
