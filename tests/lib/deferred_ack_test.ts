import assert from "node:assert/strict";
import type { Delivery } from "../../lib/connection.ts";
import { DeferredAcks, deliveryOf } from "../../lib/deferred_ack.ts";
import type { IPublishPacket, MqttClient } from "../../lib/deps.ts";
import { Buffer } from "node:buffer";
import { FakeMqttClient } from "./fake_mqtt_client.ts";

/** A client with held acknowledgements, and a link that is up. */
class Setting {
  readonly client = new FakeMqttClient();
  readonly deliveries: Delivery[] = [];
  readonly forgotten: number[] = [];
  readonly errors: unknown[] = [];
  readonly acks: DeferredAcks;
  redelivered = 0;

  constructor(order: "arrival" | "settled" = "arrival") {
    this.acks = new DeferredAcks(this.client.asClient(), order, {
      onDelivery: (delivery) => this.deliveries.push(delivery),
      onForgotten: (held) => this.forgotten.push(held),
      onRedelivered: () => this.redelivered++,
      onError: (error) => this.errors.push(error),
    });
    this.client.link();
  }

  /** Settles the messages with these places in `deliveries`. */
  settle(...places: number[]): void {
    for (const place of places) this.acks.settle(this.deliveries[place]);
  }
}

Deno.test("a client without the door that is needed is refused", () => {
  const handlers = { onDelivery() {}, onForgotten() {}, onRedelivered() {}, onError() {} };
  assert.throws(
    () => new DeferredAcks({} as MqttClient, "arrival", handlers),
    /has no _sendPacket/,
  );
});

for (const { qos, ack } of [{ qos: 1, ack: "puback" }, { qos: 2, ack: "pubrec" }] as const) {
  Deno.test(`QoS ${qos}: nothing is acknowledged before it is settled, once`, () => {
    const setting = new Setting();
    const { client } = setting;
    client.deliver(7, { qos });
    assert.deepEqual([client.written, client.handled], [[], 1]);
    setting.settle(0, 0);
    assert.deepEqual(client.written, [`${ack} 7`]);
  });
}

Deno.test("what is delivered is told in full", () => {
  const setting = new Setting();
  setting.client.deliver(7, { body: "body" });
  const { topic, payload, qos, retain, dup, packetId, properties } = setting.deliveries[0];
  assert.equal(new TextDecoder().decode(payload), "body");
  assert.deepEqual({ topic, qos, retain, dup, packetId, properties }, {
    topic: "t",
    qos: 1,
    retain: false,
    dup: false,
    packetId: 7,
    properties: {},
  });
});

Deno.test("QoS 0 has no packet id and settling it writes nothing", () => {
  const setting = new Setting();
  setting.client.deliver(7, { qos: 0 });
  assert.equal(setting.deliveries[0].packetId, null);
  setting.settle(0);
  assert.deepEqual(setting.client.written, []);
});

Deno.test("everything else is written as before", () => {
  const { client } = new Setting();
  let done = 0;
  client._sendPacket({ cmd: "pingreq" }, () => done++);
  client._sendPacket({ cmd: "pubcomp", messageId: 3 }, () => done++);
  assert.deepEqual([client.written, done], [["pingreq", "pubcomp 3"], 2]);
});

Deno.test("acknowledgements go out in the order of arrival", () => {
  const setting = new Setting("arrival");
  for (const id of [5, 3, 9]) setting.client.deliver(id);
  setting.settle(2);
  setting.settle(1);
  assert.deepEqual(setting.client.written, []);
  setting.settle(0);
  assert.deepEqual(setting.client.written, ["puback 5", "puback 3", "puback 9"]);
});

Deno.test("with ackOrder settled each goes out when it is settled", () => {
  const setting = new Setting("settled");
  for (const id of [5, 3, 9]) setting.client.deliver(id);
  setting.settle(2, 0, 1);
  assert.deepEqual(setting.client.written, ["puback 9", "puback 5", "puback 3"]);
});

Deno.test("thousands that are settled in turn are acknowledged in turn", () => {
  const setting = new Setting("arrival");
  const ids = Array.from({ length: 5_000 }, (_, index) => index + 1);
  for (const id of ids) setting.client.deliver(id);
  for (const id of ids) setting.settle(id - 1);
  assert.deepEqual(setting.client.written, ids.map((id) => `puback ${id}`));
  setting.client.deliver(6_000);
  setting.settle(5_000);
  assert.equal(setting.client.written.at(-1), "puback 6000");
});

for (const order of ["arrival", "settled"] as const) {
  Deno.test(`nothing is acknowledged on a link that did not deliver it (${order})`, () => {
    const setting = new Setting(order);
    const { client } = setting;
    client.deliver(1);
    client.deliver(2);
    client.lose();
    setting.settle(0);
    client.link(true);
    assert.deepEqual(client.written, []);
    client.deliver(1, { dup: true });
    assert.deepEqual(client.written, ["puback 1"]);
    client.deliver(2, { dup: true });
    setting.settle(1);
    assert.deepEqual(client.written, ["puback 1", "puback 2"]);
    assert.deepEqual([setting.deliveries.length, setting.redelivered], [2, 2]);
  });
}

Deno.test("after a reconnect the order is that of the new link", () => {
  const setting = new Setting();
  const { client } = setting;
  for (const id of [1, 2]) client.deliver(id);
  client.lose();
  client.link(true);
  client.deliver(2, { dup: true });
  client.deliver(1, { dup: true });
  setting.settle(0);
  assert.deepEqual(client.written, []);
  setting.settle(1);
  assert.deepEqual(client.written, ["puback 2", "puback 1"]);
});

Deno.test("a message that comes twice on one link is shown and acknowledged once", () => {
  const setting = new Setting();
  setting.client.deliver(1);
  setting.client.deliver(1, { dup: true });
  setting.settle(0);
  assert.deepEqual(setting.client.written, ["puback 1"]);
  assert.deepEqual([setting.deliveries.length, setting.redelivered], [1, 1]);
});

Deno.test("a repetition of what was acknowledged at QoS 1 is a delivery of its own", () => {
  const setting = new Setting();
  const { client } = setting;
  client.deliver(1);
  setting.settle(0);
  client.lose();
  client.link(true);
  client.deliver(1, { dup: true });
  assert.equal(setting.deliveries.length, 2);
  setting.settle(1);
  assert.deepEqual(client.written, ["puback 1", "puback 1"]);
});

Deno.test("a PUBREC that was lost is written again, and the message not shown again", () => {
  const setting = new Setting();
  const { client } = setting;
  client.deliver(1, { qos: 2 });
  setting.settle(0);
  client.lose();
  client.link(true);
  client.deliver(1, { qos: 2, dup: true });
  assert.deepEqual(client.written, ["pubrec 1", "pubrec 1"]);
  assert.equal(setting.deliveries.length, 1);
});

Deno.test("after its PUBREL a packet id stands for a new message", () => {
  const setting = new Setting();
  const { client } = setting;
  client.deliver(1, { qos: 2 });
  setting.settle(0);
  client.release(1);
  client.deliver(1, { qos: 2, dup: true, body: "new" });
  assert.equal(setting.deliveries.length, 2);
  assert.deepEqual(client.written, ["pubrec 1", "pubcomp 1"]);
});

Deno.test("a packet id without DUP is a new message, and the old one is never acknowledged", () => {
  for (const order of ["arrival", "settled"] as const) {
    const setting = new Setting(order);
    const { client } = setting;
    client.deliver(1, { body: "old" });
    client.deliver(1, { body: "new" });
    assert.equal(setting.deliveries.length, 2);
    setting.settle(0);
    assert.deepEqual(client.written, []);
    setting.settle(1);
    assert.deepEqual(client.written, ["puback 1"]);
  }
});

Deno.test("a message whose id was reused does not hold up those behind it", () => {
  const setting = new Setting();
  for (const id of [1, 1, 2]) setting.client.deliver(id);
  setting.settle(1, 2);
  assert.deepEqual(setting.client.written, ["puback 1", "puback 2"]);
});

Deno.test("a session that was forgotten is told, and what was held is not acknowledged", () => {
  const setting = new Setting();
  const { client } = setting;
  client.deliver(1);
  client.deliver(2, { qos: 2 });
  client.lose();
  client.link(false);
  assert.deepEqual(setting.forgotten, [2]);
  client.deliver(1, { body: "another" });
  setting.settle(0, 1);
  assert.deepEqual(client.written, []);
  setting.settle(2);
  assert.deepEqual(client.written, ["puback 1"]);
});

Deno.test("a first link without a session is no loss, and neither is a resumed one", () => {
  const setting = new Setting();
  setting.client.lose();
  setting.client.link(true);
  assert.deepEqual(setting.forgotten, []);
});

Deno.test("a handler that throws does not reach MQTT.js", () => {
  const client = new FakeMqttClient();
  const errors: unknown[] = [];
  const failure = new Error("handler");
  new DeferredAcks(client.asClient(), "arrival", {
    onDelivery() {
      throw failure;
    },
    onForgotten() {},
    onRedelivered() {},
    onError: (error) => errors.push(error),
  });
  client.link();
  client.deliver(1);
  assert.deepEqual(errors, [failure]);
  assert.equal(client.handled, 1);
});

for (const qos of [0, 1, 2] as const) {
  Deno.test(`while it is paused the pipeline stands at QoS ${qos}, and then goes on`, () => {
    const setting = new Setting();
    const { client, acks } = setting;
    acks.setPaused(true);
    client.deliver(1, { qos });
    assert.deepEqual([client.handled, setting.deliveries.length], [0, 1]);
    acks.setPaused(true);
    assert.equal(client.handled, 0);
    acks.setPaused(false);
    assert.equal(client.handled, 1);
    acks.setPaused(false);
    client.deliver(2, { qos });
    assert.equal(client.handled, 2);
  });
}

Deno.test("what is settled while it is paused is acknowledged", () => {
  const setting = new Setting();
  setting.acks.setPaused(true);
  setting.client.deliver(1);
  setting.settle(0);
  assert.deepEqual(setting.client.written, ["puback 1"]);
});

Deno.test("a callback from before the reconnect is not called on the new link", () => {
  const { client, acks } = new Setting();
  acks.setPaused(true);
  client.deliver(1);
  client.lose();
  client.link(true);
  acks.setPaused(false);
  assert.equal(client.handled, 0);
});

Deno.test("while it is paused a ping without answer does not cut the link", () => {
  const { client, acks } = new Setting();
  acks.setPaused(true);
  client.onKeepaliveTimeout();
  assert.deepEqual([client.cuts, client.pings, client.reschedules], [0, 1, 1]);
  acks.setPaused(false);
  client.onKeepaliveTimeout();
  assert.deepEqual([client.cuts, client.pings], [1, 1]);
});

Deno.test("a payload does not keep the network chunk that it was cut from", () => {
  const chunk = new Uint8Array(64 * 1024).fill(7);
  const packet = (payload: Buffer): IPublishPacket => ({
    cmd: "publish",
    topic: "t",
    payload,
    qos: 1,
    messageId: 1,
    retain: false,
    dup: false,
  });
  const small = packet(Buffer.from(chunk.buffer, 100, 10));
  const { payload } = deliveryOf(small);
  assert.deepEqual([...payload], new Array(10).fill(7));
  assert.ok(payload.buffer.byteLength <= 4_096);
  assert.equal(small.payload, payload);
  const large = deliveryOf(packet(Buffer.from(chunk.buffer, 0, 60_000)));
  assert.equal(large.payload.buffer, chunk.buffer);
});
